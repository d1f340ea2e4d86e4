import { ClipfleetError } from '../../shared/errors.ts';
import type { Preprocessing } from '../decode/preprocessing.ts';
import { floats, type Graph, openGraph } from '../onnx/graph.ts';
import { unitRows } from '../onnx/vectors.ts';
import type { Scale } from '../score/rank.ts';
import { batchShapes } from './batchShapes.ts';
import type { Device } from './devices.ts';
import { pick, runGraph } from './feeds.ts';
import { createImageBatches } from './imageBatches.ts';
import { prepareGraph } from './preparedGraph.ts';
import { solveScale } from './solveScale.ts';
import { loadTokenizer, type TextLimits } from './tokenizer.ts';
import { type FirstBatch, warmUp } from './warmUp.ts';

/** What the session thread needs to open a model; plain data, so that it can be sent to a thread. */
export interface TowersSpec {
  modelDir: string;
  /** Paths of the graphs: either both towers, or the joint graph alone. */
  graphs: { vision: string; text: string } | { joint: string };
  /** SHA-256 of the graphs' files and of those with their weights, by path. */
  hashes: Readonly<Record<string, string>>;
  preprocessing: Preprocessing;
  textLimits: TextLimits;
  device: Device;
  /** Most images that will be asked for together: what the session is made ready for. */
  batchSize: number;
  /** Where graphs that take the decoder's bytes are kept. */
  cacheDir: string;
  /** Threads of a session on the processor. */
  threads: number;
  /** Joint graph to solve the logit scale from, when no file of the model gives it. */
  solveScaleFrom: string | undefined;
}

/** What the session thread says of itself once it can take work. */
export interface SessionInfo extends FirstBatch {
  /** Solved from the joint graph, when the model's files did not give it. */
  solvedScale: Scale | undefined;
  /** What the user should know though the session is ready. */
  warning: string | undefined;
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

/** Names under which exports give the embedding, the projected one first. */
const IMAGE_OUTPUTS = ['image_embeds', 'pooler_output'];
const TEXT_OUTPUTS = ['text_embeds', 'pooler_output'];

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

/**
 * Opens the model's sessions and warms the image tower. Runs in the session thread: every run blocks it.
 *
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED
 */
export async function openTowers(spec: TowersSpec): Promise<Towers> {
  const { preprocessing, device } = spec;
  const { tokenize } = await loadTokenizer(spec.modelDir, spec.textLimits);
  const imageBytes = preprocessing.width * preprocessing.height * 3;
  const open = (path: string) => openGraph(path, { providers: device.providers, threads: spec.threads });
  const blank = () => ({ data: new Uint8Array(imageBytes), count: 1, preprocessing });

  const imageGraph = 'joint' in spec.graphs ? spec.graphs.joint : spec.graphs.vision;
  const { graph: vision, warning } = await openImageGraph(imageGraph, spec, device, open);
  const joint = 'joint' in spec.graphs ? vision : undefined;
  // The text tower waits until a label set needs it: a worker whose label sets are all in Redis never loads it.
  let text = joint;
  const openText = async () => {
    text ??= await open((spec.graphs as { text: string }).text);
    return text;
  };

  const shapes = device.plansShapes ? batchShapes(spec.batchSize) : undefined;
  const images = createImageBatches({
    imageBytes,
    shapes,
    async run(data, count) {
      const tokens = joint ? tokenize([ANY_TEXT]) : undefined;
      const outputs = await runGraph(vision, { data, count, preprocessing }, tokens);
      return unitRows(floats(pick(outputs, IMAGE_OUTPUTS)), count);
    },
  });

  async function embedTexts(prompts: readonly string[]): Promise<TextEmbeddings> {
    const tokens = tokenize(prompts);
    const outputs = await runGraph(await openText(), joint ? blank() : undefined, tokens);
    const raw = floats(pick(outputs, TEXT_OUTPUTS));
    refuseEmpty(raw, prompts);
    const embeddings = unitRows(raw, prompts.length);
    const length = embeddings.length / prompts.length;
    if (length !== dimensions) {
      throw new ClipfleetError(
        'MODEL_UNSUPPORTED',
        `Expected text embeddings of ${dimensions} dimensions like the image's, got ${length}: ` +
          'the text graph seems to be exported without its projection.',
      );
    }
    return { embeddings, truncated: tokens.truncated };
  }

  const firstBatch = await warmUp(images, shapes ?? [spec.batchSize], imageBytes);
  const { dimensions } = firstBatch;
  const solvedScale = spec.solveScaleFrom
    ? await solveScaleOf(joint ?? (await open(spec.solveScaleFrom)), joint !== undefined)
    : undefined;

  async function solveScaleOf(session: Graph, keep: boolean): Promise<Scale> {
    const outputs = await runGraph(session, blank(), tokenize(SCALE_TEXTS));
    const image = unitRows(floats(pick(outputs, ['image_embeds'])), 1);
    const texts = unitRows(floats(pick(outputs, ['text_embeds'])), SCALE_TEXTS.length);
    const logits = floats(pick(outputs, ['logits_per_image']));
    if (!keep) await session.release();
    return solveScale(image, texts, logits);
  }

  return {
    info: { ...firstBatch, solvedScale, warning },
    embedImages: images.embed,
    imagesFitting: images.fitting,
    embedTexts,
  };
}

/**
 * The graph that images go through, of the kind that takes the decoder's bytes where the device casts them. Without a cache to keep
 * it in, the graph as it is takes floats packed by this thread, which a model needs for other devices anyway: slower to feed, and
 * the same numbers.
 */
async function openImageGraph(
  path: string,
  spec: TowersSpec,
  { takesBytes }: Device,
  open: (path: string) => Promise<Graph>,
): Promise<{ graph: Graph; warning: string | undefined }> {
  let warning: string | undefined;
  if (takesBytes) {
    try {
      const prepared = await prepareGraph(path, spec);
      if (prepared) return { graph: await open(prepared), warning };
    } catch (error) {
      warning =
        `${path} could not be made ready in ${spec.cacheDir} (${(error as Error).message}): ` +
        'pixels are packed in JavaScript. If the folder cannot be written, give another with --cache-dir.';
    }
  }
  return { graph: await open(path), warning };
}

/** A vector of zeros has no direction: no image is nearer to it than another. */
function refuseEmpty(rows: Float32Array, prompts: readonly string[]): void {
  const length = rows.length / prompts.length;
  prompts.forEach((prompt, i) => {
    if (rows.subarray(i * length, (i + 1) * length).some((value) => value !== 0)) return;
    throw new ClipfleetError(
      'LABEL_NOT_EMBEDDED',
      `Expected an embedding of '${prompt}', got zeros: the model knows none of its words. Use other words.`,
    );
  });
}
