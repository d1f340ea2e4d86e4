import type { Chunk } from '../shared/chunkJob.ts';
import type { ClipfleetError } from '../shared/errors.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { Row } from '../shared/row.ts';
import type { Runs } from '../shared/runs.ts';

/** Gives a failed row to every image of a chunk that has none, and finishes the chunk. */
export async function failChunk(
  { store, runs }: { store: ResultsStore; runs: Runs },
  { run, chunk, generation, images }: Chunk,
  { code, message }: ClipfleetError,
): Promise<void> {
  const ids = images.map(({ id }) => id);
  const done = await store.has(run, ids, generation);
  const base = {
    generation,
    at: new Date().toISOString(),
    status: 'failed',
    error: { code, message },
  } as const;
  const rows = images.map((ref, index): Row => ({ ...ref, ...base, place: { chunk, index } }));
  await store.putRows(
    run,
    rows.filter(({ id }) => !done.has(id)),
  );
  await runs.finish(run, chunk);
}
