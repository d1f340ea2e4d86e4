import { open } from 'node:fs/promises';
import { fromHalf } from '../onnx/half.ts';
import type { Scale } from '../score/rank.ts';

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
