import type { ClipfleetError } from '../../shared/errors.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { type Row, rowError } from '../../shared/rows/row.ts';
import { type Chunk, parseJobId, pieceOf } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';

/** Gives a failed row to every image of a chunk that has none, and finishes the chunk. */
export async function failChunk(
  { store, runs }: { store: Pick<ResultsStore, 'find' | 'putRows'>; runs: Pick<Runs, 'finish'> },
  failing: Chunk,
  error: ClipfleetError,
): Promise<void> {
  const { run, chunk, generation, images, indexes } = failing;
  const ids = images.map(({ id }) => id);
  const found = await store.find(run, ids);
  const isDone = (id: string) => (found.get(id)?.generation ?? -1) >= generation;
  const base = {
    generation,
    at: Math.floor(Date.now() / 1_000),
    status: 'failed',
    error: rowError(error),
  } as const;
  const rows = images.map((ref, i): Row => {
    const place = found.get(ref.id)?.place ?? { chunk, index: indexes?.[i] ?? i };
    return { ...ref, ...base, place };
  });
  await store.putRows(
    failing,
    rows.filter(({ id }) => !isDone(id)),
  );
  await runs.finish(failing, pieceOf(failing), true);
}

/**
 * Takes a chunk out of its run whose job nothing can be saved of: nobody knows its images' ids, so that they can have no rows. The run says
 * so, and can complete. A job that is no chunk of a run changes nothing.
 */
export async function giveUpChunk(
  runs: Pick<Runs, 'get' | 'withdraw' | 'warn'>,
  id: string | undefined,
  { message }: ClipfleetError,
): Promise<void> {
  const name = parseJobId(id);
  if (!name || !(await runs.get(name.run))) return;
  const piece = pieceOf(name);
  const images = await runs.withdraw(name, piece, 0);
  if (images === 0) return;
  await runs.warn(
    name.run,
    `${images} images have no row, because the job of chunk ${piece} could not be read: add the source again with --run. (${message})`,
  );
}
