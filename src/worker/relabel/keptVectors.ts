import {
  readVectors,
  type VectorFolder,
  type VectorFolderReader,
} from '../../shared/embeddings/readVectors.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { RowPlace } from '../../shared/rows/row.ts';

/** The classified images of a run by their places, each with the generation of its row. */
export interface Places {
  /** How many there are. */
  size: number;
  put(place: RowPlace, generation: number): void;
  /** Whether the place has this generation. */
  has(place: RowPlace, generation: number): boolean;
  /** Whether the place had this generation; then it is gone. */
  take(place: RowPlace, generation: number): boolean;
}

function createPlaces(): Places {
  /** By chunk: of each index the generation and one, 0 where there is none. */
  const chunks = new Map<number, Uint32Array>();
  const at = ({ chunk, index }: RowPlace) => chunks.get(chunk)?.[index] ?? 0;

  function set({ chunk, index }: RowPlace, value: number): void {
    let numbers = chunks.get(chunk);
    if (!numbers || index >= numbers.length) {
      const larger = new Uint32Array(Math.max(index + 1, 64));
      larger.set(numbers ?? []);
      numbers = larger;
      chunks.set(chunk, numbers);
    }
    numbers[index] = value;
  }

  const places: Places = {
    size: 0,
    has: (place, generation) => at(place) === generation + 1,
    put(place, generation) {
      const before = at(place);
      if (before === 0) places.size++;
      set(place, generation + 1);
    },
    take(place, generation) {
      if (!places.has(place, generation)) return false;
      set(place, 0);
      places.size--;
      return true;
    },
  };
  return places;
}

/** A run with vectors of one model. */
export interface KeptRun extends VectorFolder {
  run: string;
  fingerprint: string;
}

/**
 * The places of a run's classified images, each of which has a vector of its row's generation.
 *
 * @throws VECTORS_UNUSABLE where vectors are missing, with how many, or are of another model
 */
export async function requireVectors(
  from: KeptRun,
  store: Pick<ResultsStore, 'getRows'>,
  reader: VectorFolderReader = {},
): Promise<Places> {
  const { run, folder } = from;
  const classified = createPlaces();
  let cursor: string | undefined;
  do {
    const page = await store.getRows(run, cursor);
    for (const { status, place, generation } of page.rows)
      if (status === 'classified') classified.put(place, generation);
    cursor = page.cursor;
  } while (cursor !== undefined);
  const kept = createPlaces();
  for await (const { vectors } of readVectors(from, reader)) {
    for (const { place, generation } of vectors)
      if (classified.has(place, generation)) kept.put(place, generation);
  }
  const missing = classified.size - kept.size;
  if (missing === 0) return kept;
  const message = `Expected ${classified.size} vectors of run '${run}' in ${folder}, one for each classified image, but ${missing} are missing: label those images anew.`;
  throw new ClipfleetError('VECTORS_UNUSABLE', message);
}

/**
 * The fingerprint of the model files that a run's rows were made with.
 *
 * @throws VECTORS_UNUSABLE where no image is classified
 */
export async function fingerprintOf(run: string, store: Pick<ResultsStore, 'getRows'>): Promise<string> {
  let cursor: string | undefined;
  do {
    const page = await store.getRows(run, cursor);
    for (const row of page.rows) if (row.status === 'classified') return row.fingerprint;
    cursor = page.cursor;
  } while (cursor !== undefined);
  const message = `Expected classified images in run '${run}', found none: there is nothing to relabel.`;
  throw new ClipfleetError('VECTORS_UNUSABLE', message);
}
