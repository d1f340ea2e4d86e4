import { env, pipeline } from '@huggingface/transformers';
import type { TestBed } from './bench.ts';
import type { PeerAnswer } from './pythonPeers.ts';

/** The zero-shot pipeline of transformers.js in the usual loop; it encodes the labels anew with each image. */
export async function openTransformersJs(bed: TestBed, model: string, threads: number) {
  env.allowRemoteModels = false;
  const classify = await pipeline('zero-shot-image-classification', model, {
    dtype: 'fp32',
    local_files_only: true,
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  bed.after(() => classify.dispose());
  const options = { hypothesis_template: 'This is a photo of {}.' };
  return async (files: readonly string[], labels: readonly string[]): Promise<PeerAnswer> => {
    const start = performance.now();
    const best: string[] = [];
    for (const file of files) {
      const found = (await classify(file, [...labels], options)) as { label: string }[];
      best.push(found[0]!.label);
    }
    return { seconds: (performance.now() - start) / 1000, best };
  };
}
