import { ClipfleetError } from '../../shared/errors.ts';
import { floats, type Graph, type NamedGraph, openGraph } from '../onnx/graph.ts';
import type { Preprocessing } from '../resize/preprocessing.ts';
import { imageBytesOf } from '../resize/resample.ts';
import type { Scale } from '../score/rank.ts';
import type { TextLimits } from '../tokenizer/tokenizer.ts';
import type { TokenizerPlace } from '../tokenizer/tokenizerFiles.ts';
import { batchShapes } from './batchShapes.ts';
import type { Device } from './devices.ts';
import { runGraph } from './feeds.ts';
import { createImageBatches, isOutOfMemory } from './imageBatches.ts';
import { fixedImageCount, openImageGraph } from './imageGraph.ts';
import { solveScale } from './solveScale.ts';
import { openTextTower } from './textTower.ts';
import { embeddingsOf, type OutputNames, pick } from './towerOutputs.ts';
import { type FirstBatch, warmUp } from './warmUp.ts';

/** What the session thread needs to open a model; plain data, so that it can be sent to a thread. */
export interface TowersSpec {
  /** Either both towers, or the joint graph alone. */
  graphs: { vision: NamedGraph; text: NamedGraph } | { joint: NamedGraph };
  outputs: OutputNames;
  /** D, where the model's configuration says it. */
  projection: number | undefined;
  preprocessing: Preprocessing;
  tokenizer: TokenizerPlace;
  textLimits: TextLimits;
  device: Device;
  /** Most images that will be asked for together: what the session is made ready for. */
  batchSize: number;
  /** Threads of a session on the CPU. */
  threads: number;
  /** Path of the joint graph to solve the logit scale from, when no file of the model gives it. */
  solveScaleFrom: string | undefined;
}

/** What the session thread says of itself once it can take work. */
export interface SessionInfo extends FirstBatch {
  /** Solved from the joint graph, when the model's files did not give it. */
  solvedScale: Scale | undefined;
}

export interface TextEmbeddings {
  /** N × D, unit rows. */
  embeddings: Float32Array;
  /** Places of the prompts that had to be cut to fit the text tower. */
  truncated: number[];
}

export interface Towers {
  info: SessionInfo;
  /** Unit embeddings, count × D, of RGB u8 images laid end to end. */
  embedImages(pixels: Uint8Array, count: number): Promise<Float32Array>;
  /** Most images that fit into memory together, once more did not. */
  imagesFitting(): number | undefined;
  embedTexts(prompts: readonly string[]): Promise<TextEmbeddings>;
}

/** Shortest text there is, and prompts that differ enough to solve a scale from. */
const ANY_TEXT = '';
const SCALE_TEXTS = [
  'a photo of a cat',
  'a red car on a street',
  'music',
  'the sea at night',
  'x',
  'seven old books',
];

/** What fails at the first run is mostly of files that do not belong together. Memory is not the model's fault. */
async function probing<T>(expected: string, probe: () => Promise<T>): Promise<T> {
  try {
    return await probe();
  } catch (error) {
    if (error instanceof ClipfleetError || isOutOfMemory(error)) throw error;
    throw new ClipfleetError(
      'MODEL_INVALID',
      `Expected ${expected}, got: ${(error as Error).message.trim()}. Are all files of one model?`,
      { cause: error },
    );
  }
}

/**
 * Opens the model's sessions, warms the image tower and runs the text tower once: what is wrong with a model is said before it is given
 * any work. Runs in the session thread: every run blocks it.
 *
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED
 */
export async function openTowers(spec: TowersSpec): Promise<Towers> {
  const { preprocessing, device, graphs } = spec;
  const imageBytes = imageBytesOf(preprocessing);
  const how = { providers: device.providers, threads: spec.threads };
  const blank = { data: new Uint8Array(imageBytes), count: 1, preprocessing };

  const imageGraph = 'joint' in graphs ? graphs.joint : graphs.vision;
  const vision = await openImageGraph(imageGraph, preprocessing, device, how);
  const joint = 'joint' in graphs;
  const textGraph = 'joint' in graphs ? graphs.joint : graphs.text;
  const text = joint ? vision : await openGraph(textGraph, how);
  const openTexts = (dimensions: number) =>
    openTextTower({
      graph: text,
      name: textGraph.name,
      tokenizer: spec.tokenizer,
      limits: spec.textLimits,
      outputs: spec.outputs.text,
      dimensions,
      image: joint ? blank : undefined,
    });
  // A joint graph wants a text with its images.
  const anyText = joint ? (await openTexts(0)).tokenize([ANY_TEXT]) : undefined;

  const fixed = fixedImageCount(vision);
  const shapes = fixed !== undefined ? [fixed] : device.plansShapes ? batchShapes(spec.batchSize) : undefined;
  const images = createImageBatches({
    imageBytes,
    shapes,
    async run(data, count) {
      const outputs = await runGraph(vision, { data, count, preprocessing }, anyText);
      const output = pick(outputs, spec.outputs.image, imageGraph.name);
      return embeddingsOf(output, count, spec.projection, imageGraph.name);
    },
  });

  const { width, height } = preprocessing;
  const firstBatch = await probing(
    `images of ${width} × ${height}, as the image processor makes them, to go through ${imageGraph.name}`,
    () => warmUp(images, shapes ?? [spec.batchSize], imageBytes),
  );
  const texts = await openTexts(firstBatch.dimensions);
  await probing(`the tokenizer’s ids to go through ${textGraph.name}`, () => texts.probe(SCALE_TEXTS));
  const solvedScale = spec.solveScaleFrom
    ? await solveScaleOf(joint ? vision : await openGraph(spec.solveScaleFrom, how), !joint)
    : undefined;

  async function solveScaleOf(session: Graph, release: boolean): Promise<Scale> {
    const outputs = await runGraph(session, blank, texts.tokenize(SCALE_TEXTS));
    const of = (names: readonly string[], rows: number) =>
      embeddingsOf(pick(outputs, names, 'the joint graph'), rows, undefined, 'the joint graph');
    const logits = floats(pick(outputs, ['logits_per_image'], 'the joint graph'));
    const scale = solveScale(of(['image_embeds'], 1), of(['text_embeds'], SCALE_TEXTS.length), logits);
    if (release) await session.release();
    return scale;
  }

  return {
    info: { ...firstBatch, solvedScale },
    embedImages: images.embed,
    imagesFitting: images.fitting,
    embedTexts: texts.embed,
  };
}
