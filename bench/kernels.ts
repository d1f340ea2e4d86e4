import sharp from 'sharp';
import { decodeWhole } from '../src/worker/decode/decode.ts';
import type { Preprocessing } from '../src/worker/resize/preprocessing.ts';
import { resamplePlain } from '../src/worker/resize/resample.ts';
import { planResize } from '../src/worker/resize/resizeGeometry.ts';
import { createSimdResampler } from '../src/worker/resize/simdKernel.ts';
import { format, spreadOf } from './spread.ts';

/** Resizes of each way in a round, of which the median counts: they take from 0.1 to 60 ms. */
const RESIZES = 7;

/** Milliseconds of resizing one image of pixels in memory, by SIMD, plain JavaScript and libvips, in turns in each round. */
export async function measureKernels(
  jpeg: Buffer,
  preprocessing: Preprocessing,
  rounds: number,
): Promise<string[]> {
  const simd = createSimdResampler();
  if (simd === undefined) throw new Error('This processor has no SIMD for WebAssembly.');
  const source = await decodeWhole(jpeg, { pixelsMax: 10e6, timeoutMs: 20_000 });
  const plan = planResize(source, preprocessing, 'floor');
  const { width, height } = source;
  const ways = [
    () => simd(source, plan, preprocessing.resample),
    () => resamplePlain(source, plan, preprocessing.resample),
    () =>
      sharp(source.data, { raw: { width, height, channels: 3 } })
        .resize(plan.size.width, plan.size.height, { fit: 'fill', kernel: 'cubic' })
        .extract(plan.window)
        .raw()
        .toBuffer(),
  ];
  const times: number[][] = ways.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, work] of ways.entries()) {
      const time = await medianTime(work);
      if (round > 0) times[i]!.push(time);
    }
  }
  return times.map((each) => format(spreadOf(each), 2));
}

async function medianTime(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < RESIZES; i++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[RESIZES >> 1]!;
}
