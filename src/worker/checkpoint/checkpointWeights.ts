import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { type ReadRange, readTensorRanges, type TensorRange } from './safetensors.ts';

/** A tensor of a checkpoint on disk. */
export interface StoredTensor extends TensorRange {
  /** The file's path. */
  file: string;
  /** A matrix that is stored with rows and columns swapped: in × out. Its shape is that of the others, out × in. */
  swapped?: true;
}

/** The file that lists the shards of a checkpoint that was saved in several. */
export const SHARD_INDEX = 'model.safetensors.index.json';

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The tensors of a checkpoint, by name.
 *
 * @param files its files in safetensors
 * @throws MODEL_INVALID where one of them cannot be read, or two of them have a tensor of the same name
 */
export async function readCheckpoint(files: readonly string[]): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of files) {
    const ranges = await withFileRanges(file, (read, bytes) => readTensorRanges(read, file, bytes)).catch(
      (error: unknown) => {
        if (error instanceof ClipfleetError) throw error;
        throw new ClipfleetError(
          'MODEL_INVALID',
          `Expected readable weights in ${file}, got: ${(error as Error).message}.`,
          { cause: error },
        );
      },
    );
    for (const [name, range] of ranges) {
      const other = tensors.get(name);
      if (other) {
        throw new ClipfleetError(
          'MODEL_INVALID',
          `Expected each tensor in one file, got '${name}' in ${other.file} and ${file}.`,
        );
      }
      tensors.set(name, { ...range, file });
    }
  }
  return tensors;
}

/** Names of the shards that an index lists. @throws MODEL_INVALID */
export function shardsOf(index: string, where: string): string[] {
  try {
    const { weight_map } = indexSchema.parse(JSON.parse(index));
    const names = [...new Set(Object.values(weight_map))].sort();
    const outside = names.find((name) => !/^[\w.-]+\.safetensors$/.test(name));
    if (outside === undefined) return names;
    throw new Error(`a shard '${outside}'`);
  } catch (error) {
    throw new ClipfleetError(
      'MODEL_INVALID',
      `Expected the names of shards in safetensors in ${where}, got: ${(error as Error).message}.`,
      { cause: error },
    );
  }
}

/** Paths of the shards that an index lists. @throws MODEL_INVALID */
export async function readShards(index: string): Promise<string[]> {
  return shardsOf(await readFile(index, 'utf8'), index).map((name) => join(dirname(index), name));
}

/** Ranges of a file on disk. */
export async function withFileRanges<T>(
  path: string,
  use: (read: ReadRange, fileBytes: number) => Promise<T>,
): Promise<T> {
  const file = await open(path);
  try {
    const read: ReadRange = async (start, length) => {
      const { buffer, bytesRead } = await file.read(new Uint8Array(length), 0, length, start);
      return buffer.subarray(0, bytesRead);
    };
    return await use(read, (await file.stat()).size);
  } finally {
    await file.close();
  }
}
