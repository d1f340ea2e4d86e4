import type { Queue } from 'bullmq';
import type { Heartbeats } from '../../shared/fleet/heartbeats.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { chunkOf, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Losses } from '../../shared/runs/losses.ts';
import type { Pending, Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';
import { jobOf } from './pendingJobs.ts';

export interface ReclaimContext {
  runs: Runs;
  store: Pick<ResultsStore, 'find'>;
  losses: Pick<Losses, 'charge'>;
  heartbeats: Pick<Heartbeats, 'fateOf'>;
}

/** What is known of the pending pieces of one chunk. */
interface ChunkPieces {
  pieces: string[];
  /** Images that the ledger has as pending. */
  pending: number;
  /** Ids of the pieces' jobs. Of a divided piece, the job has the images of its parts too. */
  ids: Set<string>;
}

/**
 * Empties a run's own lane, whose only worker is gone, so that nothing waits for that worker's locks to run out. Images
 * that have their row stay counted in the run; the others are taken back, and come again from the source. What was in hand when the worker died
 * without a goodbye is charged with its death, and remembered.
 *
 * Resolves to the ids of images that waited for a retry: they have a failed row, so that the source does not bring them.
 */
export async function reclaimLane(run: string, lane: Queue, context: ReclaimContext): Promise<Set<string>> {
  const { runs, store, losses, heartbeats } = context;
  const again = new Set<string>();
  const chunks = new Map<number, ChunkPieces>();
  const [record, holders] = await Promise.all([runs.get(run), runs.holders(run)]);
  await together(await runs.pending(run), async ({ piece, images, generation }: Pending) => {
    const chunk = chunksAt(chunks, chunkOf(piece));
    chunk.pieces.push(piece);
    chunk.pending += images;
    // A piece without a job was never added: none of its images has a row, unless they are in another piece's job too.
    const job = await jobOf(record ?? run, { piece, generation }, lane);
    const ids = (job && salvageChunk(job)?.images.map(({ id }) => id)) ?? [];
    for (const id of ids) {
      chunk.ids.add(id);
      if (generation > 0) again.add(id);
    }
    const holder = holders.get(piece);
    if (!holder || (await heartbeats.fateOf(holder)).kind === 'left') return;
    const rows = await store.find(run, ids);
    const lost = ids.filter((id) => (rows.get(id)?.generation ?? -1) < generation);
    if (lost.length > 0) await losses.charge(run, piece, holder, lost);
  });
  await together([...chunks.values()], async ({ pieces, pending, ids }) => {
    const rows = ids.size > 0 ? (await store.find(run, [...ids])).size : 0;
    // Images of parts that are finished are in the job that they were taken out of, and counted as such already.
    const finished = Math.max(0, ids.size - pending);
    let kept = Math.max(0, rows - finished);
    for (const piece of pieces) {
      await runs.withdraw(run, piece, kept);
      kept = 0;
    }
  });
  await lane.obliterate({ force: true });
  return again;
}

function chunksAt(chunks: Map<number, ChunkPieces>, chunk: number): ChunkPieces {
  const known = chunks.get(chunk) ?? { pieces: [], pending: 0, ids: new Set<string>() };
  chunks.set(chunk, known);
  return known;
}
