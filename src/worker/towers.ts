import { ClipfleetError } from '../shared/errors.ts';
import { type Floats, floats, type Graph, openGraph, pick, runGraph } from './graph.ts';
import { unit } from './labelMatrix.ts';
import { solveScale } from './logitScale.ts';
import { packPixels } from './pack.ts';
import type { Preprocessing } from './preprocessing.ts';
import type { Scale } from './rank.ts';
import type { TextEmbeddings } from './session.ts';
import { loadTokenizer, type TextLimits } from './tokenizer.ts';

/** What the session thread needs to open a model; plain data, so that it can be sent to a thread. */
export interface TowersSpec {
  modelDir: string;
  /** Paths of the graphs: either both towers, or the joint graph alone. */
  graphs: { vision: string; text: string } | { joint: string };
  preprocessing: Preprocessing;
  textLimits: TextLimits;
  device: 'cpu' | 'cuda';
  /** Threads of a session on the processor. */
  threads: number;
  /** Joint graph to solve the logit scale from, when no file of the model gives it. */
  solveScaleFrom: string | undefined;
}

export interface Towers {
  dimensions: number;
  solvedScale: Scale | undefined;
  /** Unit embeddings, count × D, of RGB u8 images laid end to end. */
  embedImages(pixels: Uint8Array, count: number): Promise<Float32Array>;
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

/** Opens the model's sessions. Runs in the session thread: every run blocks it. */
export async function openTowers(spec: TowersSpec): Promise<Towers> {
  const { tokenize } = await loadTokenizer(spec.modelDir, spec.textLimits);
  const { width, height } = spec.preprocessing;
  const imageBytes = width * height * 3;
  const open = (path: string) => openGraph(path, spec);
  const packed = (pixels: Uint8Array, count: number): Floats => ({
    data: packPixels(pixels, count, spec.preprocessing),
    dims: [count, 3, height, width],
  });
  const blank = () => packed(new Uint8Array(imageBytes), 1);

  const joint = 'joint' in spec.graphs ? await open(spec.graphs.joint) : undefined;
  const vision = 'vision' in spec.graphs ? await open(spec.graphs.vision) : joint!;
  // The text tower waits until a label set needs it: a worker whose label sets are all in Redis never loads it.
  let text = joint;
  const openText = async () => {
    text ??= await open((spec.graphs as { text: string }).text);
    return text;
  };

  async function embedImages(pixels: Uint8Array, count: number): Promise<Float32Array> {
    const tokens = joint ? tokenize([ANY_TEXT]) : undefined;
    const outputs = await runGraph(vision, packed(pixels, count), tokens);
    return unitRows(pick(outputs, IMAGE_OUTPUTS), count);
  }

  async function embedTexts(prompts: readonly string[]): Promise<TextEmbeddings> {
    const tokens = tokenize(prompts);
    const outputs = await runGraph(await openText(), joint ? blank() : undefined, tokens);
    const raw = pick(outputs, TEXT_OUTPUTS);
    refuseEmpty(floats(raw), prompts);
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

  const dimensions = (await embedImages(new Uint8Array(imageBytes), 1)).length;
  const solvedScale = spec.solveScaleFrom
    ? await solveScaleOf(joint ?? (await open(spec.solveScaleFrom)), joint !== undefined)
    : undefined;

  async function solveScaleOf(session: Graph, keep: boolean): Promise<Scale> {
    const outputs = await runGraph(session, blank(), tokenize(SCALE_TEXTS));
    const image = unitRows(pick(outputs, ['image_embeds']), 1);
    const texts = unitRows(pick(outputs, ['text_embeds']), SCALE_TEXTS.length);
    const logits = floats(pick(outputs, ['logits_per_image']));
    if (!keep) await session.release();
    return solveScale(image, texts, logits);
  }

  return { dimensions, solvedScale, embedImages, embedTexts };
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

function unitRows(tensor: ReturnType<typeof pick>, rows: number): Float32Array {
  const values = Float32Array.from(floats(tensor));
  const length = values.length / rows;
  for (let row = 0; row < rows; row++) {
    values.set(unit(values.subarray(row * length, (row + 1) * length)), row * length);
  }
  return values;
}
