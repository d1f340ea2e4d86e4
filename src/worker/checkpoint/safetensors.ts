import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';

/** Reads `length` bytes from `start` of a file, wherever it is; fewer where the file ends before. */
export type ReadRange = (start: number, length: number) => Promise<Uint8Array>;

/** Where one tensor lies in its file: row-major, little-endian. */
export interface TensorRange {
  /** As safetensors names it: `F32`, `F16`, `BF16`, `I64` ... */
  dtype: string;
  shape: readonly number[];
  /** In bytes, from the file's beginning. */
  offset: number;
  /** In bytes. */
  length: number;
}

/** The format's own limit is 100 MB; the header of a CLIP with thousands of tensors has 200 KB. */
const HEADER_BYTES_MAX = 16 * 1024 * 1024;

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/** Bits of one element, by dtype, as far as CLIPs have them. */
const elementBytes: Record<string, number> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  U8: 1,
  BOOL: 1,
};

/**
 * The tensors of a file in safetensors, by name: 8 bytes of header length, the header in JSON, the data.
 *
 * Format: https://huggingface.co/docs/safetensors
 *
 * @param fileBytes the file's size, where it is known: no tensor may reach beyond it
 * @throws MODEL_INVALID, naming the file `where`, where it is none, or breaks off
 */
export async function readTensorRanges(
  read: ReadRange,
  where: string,
  fileBytes = Number.POSITIVE_INFINITY,
): Promise<Map<string, TensorRange>> {
  const invalid = (reason: string) =>
    new ClipfleetError('MODEL_INVALID', `Expected weights in safetensors in ${where}, got ${reason}.`);
  const start = Buffer.from(await read(0, 8));
  if (start.length < 8) throw invalid(`a file of ${start.length} bytes`);
  const headerBytes = Number(start.readBigUInt64LE());
  if (headerBytes > HEADER_BYTES_MAX) throw invalid(`a header of ${headerBytes} bytes`);
  const header = headerOf(Buffer.from(await read(8, headerBytes)));
  if (!header) throw invalid('a header that is no JSON');

  const tensors = new Map<string, TensorRange>();
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const parsed = tensorSchema.safeParse(value);
    if (!parsed.success) throw invalid(`a tensor '${name}' without dtype, shape and offsets`);
    const { dtype, shape, data_offsets } = parsed.data;
    const [from, to] = data_offsets;
    const range = { dtype, shape, offset: 8 + headerBytes + from, length: to - from };
    const expected = shape.reduce((product, dim) => product * dim, elementBytes[dtype] ?? Number.NaN);
    if (range.length < 0 || (!Number.isNaN(expected) && range.length !== expected)) {
      throw invalid(`${range.length} bytes for the tensor '${name}', ${dtype} of ${shape.join(' × ')}`);
    }
    if (range.offset + range.length > fileBytes) {
      throw invalid(`${fileBytes} bytes, which end before its tensor '${name}': the file is cut off`);
    }
    tensors.set(name, range);
  }
  return tensors;
}

function headerOf(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    const header: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof header === 'object' && header !== null && !Array.isArray(header)
      ? (header as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
