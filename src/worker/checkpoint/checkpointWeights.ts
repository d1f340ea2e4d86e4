import { open, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ClipfleetError } from '../../shared/errors.ts';
import { type ReadRange, readTensorRanges } from './safetensors.ts';
import { readTorchTensors, type TorchTensor } from './torchTensors.ts';

/** A tensor of a checkpoint on disk. */
export type StoredTensor = TorchTensor & {
  /** The file's path. */
  file: string;
};

const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) });

/**
 * The tensors of a checkpoint, by name.
 *
 * @param files its files, in safetensors or as PyTorch saves them (`.bin`)
 * @throws MODEL_INVALID where one of them cannot be read, or two of them have a tensor of the same name
 */
export async function readCheckpoint(files: readonly string[]): Promise<Map<string, StoredTensor>> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of files) {
    const ranges = await withFileRanges(file, (read, bytes) => readTensors(read, file, bytes)).catch(
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

/** The tensors of one file, by name. @throws MODEL_INVALID */
function readTensors(read: ReadRange, file: string, bytes: number): Promise<Map<string, TorchTensor>> {
  return file.endsWith('.bin') ? readTorchTensors(read, file, bytes) : readTensorRanges(read, file, bytes);
}

/** Names of the shards that an index lists, which are of its own format. @throws MODEL_INVALID */
export function shardsOf(index: string, where: string): string[] {
  const shard = where.endsWith('.bin.index.json') ? /^[\w.-]+\.bin$/ : /^[\w.-]+\.safetensors$/;
  try {
    const { weight_map } = indexSchema.parse(JSON.parse(index));
    const names = [...new Set(Object.values(weight_map))].sort();
    const outside = names.find((name) => !shard.test(name));
    if (outside === undefined) return names;
    throw new Error(`a shard '${outside}'`);
  } catch (error) {
    throw new ClipfleetError(
      'MODEL_INVALID',
      `Expected the names of shards in ${where}, got: ${(error as Error).message}.`,
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
