import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { packaged } from '../../shared/packageRoot.ts';
import { defaultRoot } from '../../shared/refs/roots.ts';
import type { LoadedModel } from '../model/loadModel.ts';
import type { ModelFiles } from '../model/model.ts';
import type { SessionPlan } from '../model/sessionPlan.ts';
import type { Dtype } from '../onnx/dtype.ts';
import { joinVectors } from '../onnx/vectors.ts';
import { openPipeline } from '../pipeline/pipeline.ts';
import { openPipelineDecoders } from '../pipeline/pipelineDecoders.ts';
import { defaultPipelineSettings } from '../pipeline/pipelineSettings.ts';
import { loadTokenizer } from '../tokenizer/tokenizer.ts';
import { distance, embed, patterns, rowOf, VERIFY_BATCH, VERIFY_TEXTS } from './patternImages.ts';
import { type Check, checkCheckpoint } from './verifyCheckpoint.ts';

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
export async function verifyModel(
  files: ModelFiles,
  model: LoadedModel,
  plan: SessionPlan,
): Promise<Check[]> {
  const { scoring, preprocessing } = model;
  const bias = scoring.logitBias === 0 ? '' : `, bias ${scoring.logitBias.toPrecision(7)}`;
  const steps = `version ${preprocessing.version}, ${preprocessing.width} × ${preprocessing.height}, ${preprocessing.resample}`;
  return [
    ...(await checkReference(files, model, plan)),
    await checkUnitVectors(model),
    await checkBatchSize(model, tolerances[plan.dtype].batch),
    await checkTokenizer(files),
    ...(await checkCheckpoint(files, model, tolerances[plan.dtype], plan)),
    {
      name: 'logit scale',
      ok: true,
      detail: `${scoring.logitScale.toPrecision(7)}${bias}, ${scoring.source}`,
    },
    { name: 'preprocessing', ok: true, detail: steps },
    { name: 'computation', ok: true, detail: `${plan.dtype} on ${plan.device.name}` },
  ];
}

async function checkReference(
  { dir }: ModelFiles,
  model: LoadedModel,
  { dtype, settings }: SessionPlan,
): Promise<Check[]> {
  const text = await readFile(join(dir, 'reference.json'), 'utf8').catch(() => undefined);
  if (text === undefined)
    return [{ name: 'reference vectors', ok: true, detail: 'none stored for this model' }];
  const { madeBy, imageDir, images, texts } = referenceSchema.parse(JSON.parse(text));
  const folder = packaged(imageDir);
  const limits = { ...defaultPipelineSettings(), ...settings };
  const files = {
    roots: new Map([[defaultRoot, folder]]),
    trustPaths: false,
    bytesMax: limits.imageBytesMax,
  };
  const { embeddingOf, close } = openPipeline(
    model,
    {
      fetchImage: (uri: string) => ({ file: { uri } }),
      openDecoders: (onBegin) => openPipelineDecoders(model, { files, onBegin }, limits),
    },
    limits,
  );
  const embedded = Promise.all(images.map(({ file }) => embeddingOf(file)));
  const ours = joinVectors(await embedded.finally(close));
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

async function checkUnitVectors(model: LoadedModel): Promise<Check> {
  const images = await embed(model, patterns(4, model));
  const { embeddings } = await model.session.embedTexts(VERIFY_TEXTS);
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
async function checkTokenizer({ towers: { tokenizer, textLimits } }: ModelFiles): Promise<Check> {
  const { encode, decode } = await loadTokenizer(tokenizer, textLimits);
  const broken = VERIFY_TEXTS.filter((text) => encode(decode(encode(text))).join() !== encode(text).join());
  const detail =
    broken.length === 0
      ? `${VERIFY_TEXTS.length} texts come back`
      : `'${broken[0]}' comes back as '${decode(encode(broken[0]!))}'`;
  return {
    name: 'tokenizer',
    ok: broken.length === 0,
    detail: `${detail}, at most ${textLimits.maxTokens} tokens`,
  };
}

function fromBase64(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer);
}
