import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { RowPlace } from '../rows/row.ts';
import { readVectors, type VectorFolder } from './readVectors.ts';

/** Which row a vector is wanted for. */
export interface VectorOf {
  place: RowPlace;
  generation: number;
}

/** Where each vector of a run is. */
export interface VectorIndex {
  /** Numbers of a vector; 0 where there is none. */
  readonly dimensions: number;
  /** The vector as IEEE 754 half precision, little-endian; undefined where there is none of the row's generation. */
  read(of: VectorOf): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** No file is as long. */
const FILE_BYTES_MAX = 2 ** 40;

/** The vectors of a chunk: by index the retry generation and one, 0 for none, and the number of the file with the place in it. */
interface ChunkIndex {
  generations: Uint32Array;
  places: Float64Array;
}

/**
 * Looks up the vectors of rows, in files that nobody writes to any more. It takes 12 bytes of memory an image. Of an image that was
 * labeled again the last vector counts.
 *
 * @throws VECTORS_UNUSABLE
 */
export async function openVectorIndex(from: VectorFolder): Promise<VectorIndex> {
  const chunks = new Map<number, ChunkIndex>();
  const files: string[] = [];
  const handles = new Map<number, Promise<FileHandle>>();
  let dimensions = 0;

  for await (const group of readVectors(from)) {
    dimensions = group.dimensions;
    if (files.at(-1) !== group.file) files.push(group.file);
    for (const { place, generation, to } of group.vectors) {
      const at = to - 2 * dimensions;
      const chunk = chunkWith(chunks, place);
      if (generation + 1 < chunk.generations[place.index]!) continue;
      chunk.generations[place.index] = generation + 1;
      chunk.places[place.index] = (files.length - 1) * FILE_BYTES_MAX + at;
    }
  }

  function handleOf(file: number): Promise<FileHandle> {
    const known = handles.get(file) ?? open(join(from.folder, files[file]!));
    handles.set(file, known);
    return known;
  }

  return {
    dimensions,
    async read({ place, generation }) {
      const chunk = chunks.get(place.chunk);
      if (chunk?.generations[place.index] !== generation + 1) return undefined;
      const where = chunk.places[place.index]!;
      const file = await handleOf(Math.floor(where / FILE_BYTES_MAX));
      const half = new Uint8Array(2 * dimensions);
      await file.read(half, 0, half.length, where % FILE_BYTES_MAX);
      return half;
    },
    async close() {
      for (const handle of handles.values()) await (await handle).close();
    },
  };
}

/** The vectors of a place's chunk, with room for it. */
function chunkWith(chunks: Map<number, ChunkIndex>, { chunk, index }: RowPlace): ChunkIndex {
  const known = chunks.get(chunk);
  if (known && index < known.generations.length) return known;
  const room = Math.max(index + 1, 64, 2 * (known?.generations.length ?? 0));
  const larger = { generations: new Uint32Array(room), places: new Float64Array(room) };
  if (known) {
    larger.generations.set(known.generations);
    larger.places.set(known.places);
  }
  chunks.set(chunk, larger);
  return larger;
}
