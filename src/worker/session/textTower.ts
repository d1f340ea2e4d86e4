import { ClipfleetError } from '../../shared/errors.ts';
import { floats, type Graph, type Tensor } from '../onnx/graph.ts';
import { unitRows } from '../onnx/vectors.ts';
import { loadTokenizer, type TextLimits, type TokenBatch, type Tokenizer } from '../tokenizer/tokenizer.ts';
import type { TokenizerPlace } from '../tokenizer/tokenizerFiles.ts';
import type { PixelBatch } from './feeds.ts';
import { isTokenInput, runGraph } from './feeds.ts';
import { checkEmbeddings, pick } from './towerOutputs.ts';

/** What a text graph takes: a number where it takes no other, else undefined. */
interface TextShape {
  count: number | undefined;
  length: number | undefined;
}

export interface TextTowerSpec {
  graph: Graph;
  /** The file or model that the graph is of, for messages. */
  name: string;
  tokenizer: TokenizerPlace;
  limits: TextLimits;
  outputs: readonly string[];
  /** D, as the image tower has it. */
  dimensions: number;
  /** An image to go with the texts, which a joint graph wants. */
  image: PixelBatch | undefined;
}

export interface TextTower {
  tokenize: Tokenizer['tokenize'];
  /** Runs the graph once, to see whether it takes texts and gives embeddings. @throws MODEL_UNSUPPORTED */
  probe(prompts: readonly string[]): Promise<void>;
  /** Unit embeddings, N × D, and the places of the prompts that had to be cut. @throws MODEL_UNSUPPORTED, LABEL_NOT_EMBEDDED */
  embed(prompts: readonly string[]): Promise<{ embeddings: Float32Array; truncated: number[] }>;
}

/** The text side of a model: prompts are padded, and taken together or one by one, as the graph wants. */
export async function openTextTower(spec: TextTowerSpec): Promise<TextTower> {
  const shape = textShapeOf(spec.graph);
  const { tokenize } = await loadTokenizer(spec.tokenizer, limitsFor(shape, spec.limits));

  /** What the graph gives for as many prompts as it takes together, from the `from`th on. */
  async function run(tokens: TokenBatch, from: number, size: number): Promise<Tensor> {
    const outputs = await runGraph(spec.graph, spec.image, pieceOf(tokens, from, size));
    const output = pick(outputs, spec.outputs, spec.name);
    checkEmbeddings(output, size, spec.dimensions, spec.name);
    return output;
  }

  return {
    tokenize,
    async probe(prompts) {
      await run(tokenize(prompts), 0, shape.count ?? prompts.length);
    },
    async embed(prompts) {
      const tokens = tokenize(prompts);
      const size = shape.count ?? prompts.length;
      const embeddings = new Float32Array(prompts.length * spec.dimensions);
      for (let from = 0; from < prompts.length; from += size) {
        const raw = floats(await run(tokens, from, size));
        const piece = prompts.slice(from, from + size);
        const rows = raw.subarray(0, piece.length * spec.dimensions);
        refuseEmpty(rows, piece);
        embeddings.set(unitRows(rows, piece.length), from * spec.dimensions);
      }
      return { embeddings, truncated: tokens.truncated };
    },
  };
}

/** A graph's fixed sizes, from what it says of its token ids. */
function textShapeOf(graph: Graph): TextShape {
  const inputs = graph.inputMetadata as readonly { name: string; shape?: readonly (number | string)[] }[];
  const dims = inputs.find(({ name }) => isTokenInput(name))?.shape ?? [];
  const fixed = (dim: number | string | undefined) => (typeof dim === 'number' && dim > 0 ? dim : undefined);
  return { count: fixed(dims[0]), length: fixed(dims[1]) };
}

/** A graph of a fixed length takes no other; what of it is beyond the model's own limit stays padding. */
function limitsFor({ length }: TextShape, { maxTokens, padTo }: TextLimits): TextLimits {
  return length === undefined
    ? { maxTokens, padTo }
    : { maxTokens: Math.min(maxTokens, length), padTo: length };
}

/** Rows `from` to before `from + size`; the last row again where there are fewer. */
function pieceOf({ ids, mask, count, length }: TokenBatch, from: number, size: number): TokenBatch {
  if (from === 0 && size === count) return { ids, mask, count, length, truncated: [] };
  const rowsOf = (all: BigInt64Array) => {
    const piece = new BigInt64Array(size * length);
    for (let row = 0; row < size; row++) {
      const start = Math.min(from + row, count - 1) * length;
      piece.set(all.subarray(start, start + length), row * length);
    }
    return piece;
  };
  return { ids: rowsOf(ids), mask: rowsOf(mask), count: size, length, truncated: [] };
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
