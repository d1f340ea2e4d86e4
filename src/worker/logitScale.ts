import { open } from 'node:fs/promises';
import { ClipfleetError } from '../shared/errors.ts';
import { fromHalf } from './half.ts';
import type { Scale } from './rank.ts';

/** Residual of the logits, relative to their spread, above which they are not scale × cosine + bias. */
const RESIDUAL_MAX = 1e-2;

/**
 * Logit scale and bias from one image, N texts, and what the joint graph says of them.
 *
 * A joint graph computes `logit = scale × cosine + bias` with both baked in, so that a straight line through the points
 * (cosine, logit) gives them back; by least squares, because float32 leaves noise on each point.
 *
 * @throws MODEL_SCALE_UNKNOWN when the points are not on a line
 */
export function solveScale(image: Float32Array, texts: Float32Array, logits: Float32Array): Scale {
  const count = logits.length;
  const cosines = Array.from({ length: count }, (_, i) => {
    const text = texts.subarray(i * image.length, (i + 1) * image.length);
    return text.reduce((sum, value, d) => sum + value * image[d]!, 0);
  });
  const meanCosine = mean(cosines);
  const meanLogit = mean([...logits]);
  const spread = cosines.reduce((sum, cosine) => sum + (cosine - meanCosine) ** 2, 0);
  const together = cosines.reduce(
    (sum, cosine, i) => sum + (cosine - meanCosine) * (logits[i]! - meanLogit),
    0,
  );
  const logitScale = together / spread;
  const bias = meanLogit - logitScale * meanCosine;
  const residual = Math.max(...cosines.map((cosine, i) => Math.abs(logitScale * cosine + bias - logits[i]!)));
  const range = Math.max(...logits) - Math.min(...logits);
  if (!Number.isFinite(logitScale) || logitScale <= 0 || residual > RESIDUAL_MAX * range) {
    throw new ClipfleetError(
      'MODEL_SCALE_UNKNOWN',
      'Expected the joint graph to give logits that are a scale times the cosine plus a bias; they are not, or too alike to tell.',
    );
  }
  // CLIP has no bias; what the line leaves of one is float32 noise.
  return { logitScale, logitBias: Math.abs(bias) < 1e-3 * logitScale ? 0 : bias };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** A header longer than this is not one of a CLIP's checkpoint. */
const HEADER_BYTES_MAX = 16 * 1024 * 1024;

/** Reads `length` bytes from `start` of a checkpoint, wherever it is. */
export type ReadRange = (start: number, length: number) => Promise<Uint8Array>;

/**
 * Scale and bias from a checkpoint in safetensors: 8 bytes of header length, the JSON header, the tensors.
 * The checkpoint holds the logarithm of the scale. Undefined where there is no `logit_scale`.
 *
 * Format: https://huggingface.co/docs/safetensors
 */
export async function readSafetensorsScale(read: ReadRange): Promise<Scale | undefined> {
  const headerBytes = Number(Buffer.from(await read(0, 8)).readBigUInt64LE());
  if (headerBytes > HEADER_BYTES_MAX) return undefined;
  const header = JSON.parse(Buffer.from(await read(8, headerBytes)).toString('utf8')) as Record<
    string,
    { dtype: string; data_offsets: [number, number] } | undefined
  >;
  const scalar = async (name: string): Promise<number | undefined> => {
    const tensor = header[name];
    if (!tensor) return undefined;
    const [from, to] = tensor.data_offsets;
    return scalarOf(tensor.dtype, Buffer.from(await read(8 + headerBytes + from, to - from)));
  };
  const logarithm = await scalar('logit_scale');
  if (logarithm === undefined) return undefined;
  return { logitScale: Math.exp(logarithm), logitBias: (await scalar('logit_bias')) ?? 0 };
}

function scalarOf(dtype: string, bytes: Buffer): number | undefined {
  if (dtype === 'F32') return bytes.readFloatLE();
  if (dtype === 'F64') return bytes.readDoubleLE();
  if (dtype === 'F16') return fromHalf(Uint16Array.of(bytes.readUInt16LE()))[0];
  if (dtype === 'BF16') return Buffer.from([0, 0, bytes[0]!, bytes[1]!]).readFloatLE();
  return undefined;
}

/** Ranges of a file on disk. */
export async function withFileRanges<T>(path: string, use: (read: ReadRange) => Promise<T>): Promise<T> {
  const file = await open(path);
  try {
    return await use(async (start, length) => {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, start);
      return buffer.subarray(0, bytesRead);
    });
  } finally {
    await file.close();
  }
}
