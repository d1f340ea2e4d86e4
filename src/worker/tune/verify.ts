import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { defaultOf } from '../../shared/options/config.ts';
import { packaged } from '../../shared/packageRoot.ts';
import { defaultRoot } from '../../shared/refs/roots.ts';
import type { Pixels } from '../decode/decode.ts';
import { openDecoders, pixelsOf } from '../decode/decoders.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import type { ModelFiles } from '../model/model.ts';
import type { Dtype } from '../onnx/dtype.ts';
import { loadTokenizer } from '../session/tokenizer.ts';

/** One thing that was checked of a model on this machine. */
export interface Check {
  name: string;
  ok: boolean;
  /** What was measured, or found. */
  detail: string;
}

/** Images that are embedded together, to be compared with each alone. */
export const VERIFY_BATCH = 32;
const UNIT_TOLERANCE = 1e-5;

/**
 * What may differ, by dtype. `batch`: an image alone and among 32, in any number of its embedding. Kernels sum in another
 * order, and that is all, but for the 8-bit graphs: they choose one scale for the whole batch, so that an image's embedding
 * depends on its neighbours. `image` and `text`: cosine distance to the fp32 reference. With fp32 it is pixels that drift by
 * less than a grey level, and nothing for texts; the other dtypes add their rounding. Each is several times what was
 * measured on the bundled model (docs/parity.md).
 */
const tolerances: Record<Dtype, { batch: number; image: number; text: number }> = {
  fp32: { batch: 1e-4, image: 5e-3, text: 1e-5 },
  fp16: { batch: 1e-3, image: 5e-3, text: 1e-4 },
  q4f16: { batch: 1e-3, image: 3e-2, text: 1e-2 },
  q4: { batch: 1e-4, image: 3e-2, text: 1e-2 },
  bnb4: { batch: 1e-4, image: 3e-2, text: 1e-2 },
  q8: { batch: 2e-2, image: 2e-2, text: 1e-2 },
  int8: { batch: 2e-2, image: 2e-2, text: 1e-2 },
  uint8: { batch: 2e-2, image: 2e-2, text: 1e-2 },
};

const TEXTS = ['a photo of a cat', 'This is a photo of owl.', 'red car', 'the sea at night'];

const referenceSchema = z.object({
  madeBy: z.string(),
  /** Folder of the images, from the package's root. */
  imageDir: z.string(),
  images: z.array(z.object({ file: z.string(), embedding: z.string() })),
  texts: z.array(z.object({ text: z.string(), embedding: z.string() })),
});

/**
 * What this machine makes of a model, against stored reference vectors where the model's directory has them
 * (`reference.json`), and for any model what must hold of itself.
 */
export async function verifyModel(files: ModelFiles, model: LoadedModel): Promise<Check[]> {
  const { scoring, preprocessing } = model;
  const bias = scoring.logitBias === 0 ? '' : `, bias ${scoring.logitBias.toPrecision(7)}`;
  const steps = `version ${preprocessing.version}, ${preprocessing.width} × ${preprocessing.height}, ${preprocessing.resample}`;
  return [
    ...(await checkReference(files, model)),
    await checkUnitVectors(model),
    await checkBatchSize(model, tolerances[files.dtype].batch),
    await checkTokenizer(files),
    {
      name: 'logit scale',
      ok: true,
      detail: `${scoring.logitScale.toPrecision(7)}${bias}, ${scoring.source}`,
    },
    { name: 'preprocessing', ok: true, detail: steps },
  ];
}

async function checkReference({ dir, dtype }: ModelFiles, model: LoadedModel): Promise<Check[]> {
  const text = await readFile(join(dir, 'reference.json'), 'utf8').catch(() => undefined);
  if (text === undefined)
    return [{ name: 'reference vectors', ok: true, detail: 'none stored for this model' }];
  const { madeBy, imageDir, images, texts } = referenceSchema.parse(JSON.parse(text));
  const folder = packaged(imageDir);
  const pixels = await decodeAll(
    images.map(({ file }) => file),
    folder,
    model,
  );
  const ours = await embed(model, pixels);
  const { embeddings } = await model.session.embedTexts(texts.map((each) => each.text));
  const compare = (name: string, rows: Float32Array, theirs: { embedding: string }[], max: number): Check => {
    const distances = theirs.map(({ embedding }, i) =>
      distance(rowOf(rows, i, model), fromBase64(embedding)),
    );
    const [largest, mean] = [Math.max(...distances), distances.reduce((a, b) => a + b, 0) / distances.length];
    const detail = `cosine distance at most ${largest.toExponential(1)}, mean ${mean.toExponential(1)}, of ${theirs.length} to ${madeBy}`;
    return { name, ok: largest <= max, detail };
  };
  return [
    compare('reference images', ours, images, tolerances[dtype].image),
    compare('reference texts', embeddings, texts, tolerances[dtype].text),
  ];
}

/** As a worker decodes them. */
async function decodeAll(
  names: string[],
  folder: string,
  { preprocessing, decoding, settings }: LoadedModel,
): Promise<Pixels[]> {
  const files = {
    roots: new Map([[defaultRoot, folder]]),
    trustPaths: false,
    bytesMax: defaultOf('imageBytesMax'),
  };
  const stage = openDecoders({ preprocessing, decoding, files, decoders: settings.decoders });
  try {
    return await Promise.all(names.map(async (uri) => pixelsOf(await stage.decode({ file: { uri } }))));
  } finally {
    await stage.close();
  }
}

async function checkUnitVectors(model: LoadedModel): Promise<Check> {
  const images = await embed(model, patterns(4, model));
  const { embeddings } = await model.session.embedTexts(TEXTS);
  const lengths = [images, embeddings].flatMap((rows) =>
    Array.from({ length: rows.length / model.session.dimensions }, (_, i) =>
      Math.hypot(...rowOf(rows, i, model)),
    ),
  );
  const off = Math.max(...lengths.map((length) => Math.abs(length - 1)));
  return {
    name: 'unit vectors',
    ok: off <= UNIT_TOLERANCE,
    detail: `lengths off 1 by at most ${off.toExponential(1)}, ${model.session.dimensions} dimensions`,
  };
}

async function checkBatchSize(model: LoadedModel, tolerance: number): Promise<Check> {
  const images = patterns(VERIFY_BATCH, model);
  const together = await embed(model, images);
  let largest = 0;
  for (const [i, image] of images.entries()) {
    const alone = await embed(model, [image]);
    alone.forEach((value, d) => {
      largest = Math.max(largest, Math.abs(value - rowOf(together, i, model)[d]!));
    });
  }
  return {
    name: 'batch size',
    ok: largest <= tolerance,
    detail: `batch 1 and batch ${VERIFY_BATCH} differ by at most ${largest.toExponential(1)}, allowed ${tolerance.toExponential(0)}`,
  };
}

/** What was decoded must be encoded to the same tokens. */
async function checkTokenizer({ dir, textLimits }: ModelFiles): Promise<Check> {
  const { encode, decode } = await loadTokenizer(dir, textLimits);
  const broken = TEXTS.filter((text) => encode(decode(encode(text))).join() !== encode(text).join());
  const detail =
    broken.length === 0
      ? `${TEXTS.length} texts come back`
      : `'${broken[0]}' comes back as '${decode(encode(broken[0]!))}'`;
  return {
    name: 'tokenizer',
    ok: broken.length === 0,
    detail: `${detail}, at most ${textLimits.maxTokens} tokens`,
  };
}

/** Images that differ and have edges: a little generator with a fixed seed (Park and Miller's). */
function patterns(count: number, { preprocessing: { width, height } }: LoadedModel): Pixels[] {
  let state = 1;
  return Array.from({ length: count }, (_, image) => {
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < data.length; i++) {
      state = (state * 48_271) % 2_147_483_647;
      const stripe = (i >> (image % 9)) & 1 ? 120 : 0;
      data[i] = (state % 136) + stripe;
    }
    return { data, width, height };
  });
}

async function embed({ session }: LoadedModel, images: Pixels[]): Promise<Float32Array> {
  const pixels = Buffer.concat(images.map(({ data }) => data));
  return session.embedImages(Uint8Array.from(pixels), images.length);
}

function rowOf(rows: Float32Array, i: number, { session: { dimensions } }: LoadedModel): Float32Array {
  return rows.subarray(i * dimensions, (i + 1) * dimensions);
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(0, 1 - a.reduce((sum, value, i) => sum + value * b[i]!, 0));
}

function fromBase64(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
