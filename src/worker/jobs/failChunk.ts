import type { ClipfleetError } from '../../shared/errors.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { Row } from '../../shared/rows/row.ts';
import { type Chunk, pieceOf } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';

/** Gives a failed row to every image of a chunk that has none, and finishes the chunk. */
export async function failChunk(
  { store, runs }: { store: Pick<ResultsStore, 'find' | 'putRows'>; runs: Pick<Runs, 'finish'> },
  failing: Chunk,
  { code, message }: ClipfleetError,
): Promise<void> {
  const { run, chunk, generation, images, indexes } = failing;
  const ids = images.map(({ id }) => id);
  const found = await store.find(run, ids);
  const isDone = (id: string) => (found.get(id)?.generation ?? -1) >= generation;
  const base = {
    generation,
    at: Math.floor(Date.now() / 1_000),
    status: 'failed',
    error: { code, message },
  } as const;
  const rows = images.map((ref, i): Row => {
    const place = found.get(ref.id)?.place ?? { chunk, index: indexes?.[i] ?? i };
    return { ...ref, ...base, place };
  });
  await store.putRows(
    run,
    rows.filter(({ id }) => !isDone(id)),
  );
  await runs.finish(run, pieceOf(failing), true);
}
