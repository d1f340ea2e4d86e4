import { chunkOf } from '../../shared/runs/chunkJob.ts';
import type { PendingJob } from './pendingJobs.ts';
import type { RunState } from './runProgress.ts';

/**
 * How many images of each lost piece have rows: they stay in the run when the piece is taken back.
 *
 * A row says its chunk, not its part. All rows of a chunk that was never divided are the piece's own. Rows of a divided
 * chunk may be those of its finished parts, whose size nobody noted. But the ledger says how many images of the whole run are
 * finished, and each of those has a row: only rows beyond these are a lost part's. Where ids came twice, or workers
 * write meanwhile, this finds too few, never too many. What is taken back although it has a row is passed over when the
 * source is added again; one that stays without a row would be taken for an id that came twice.
 */
export async function keptImages(
  { runs, store }: RunState,
  run: string,
  jobs: readonly PendingJob[],
): Promise<Map<string, number>> {
  const kept = new Map<string, number>();
  const lost = jobs.filter((piece) => piece.lost);
  if (lost.length === 0) return kept;
  const divided = await runs.divided(run);
  const rows = await rowsByChunk({ runs, store }, run, jobs);
  // After the rows: what is finished meanwhile makes it too few, not too many.
  const { images, pending, retrying } = (await runs.get(run))!;
  let unexplained = rows.settled - (images - (pending - retrying));
  // First those that need no guess, so that their rows are explained.
  const isDivided = ({ piece }: PendingJob) => divided.has(chunkOf(piece));
  for (const piece of lost.filter((piece) => !isDivided(piece))) {
    const own = Math.min(piece.images, rows.of.get(chunkOf(piece.piece)) ?? 0);
    kept.set(piece.piece, own);
    unexplained -= own;
  }
  for (const { piece, images } of lost.filter(isDivided)) {
    const chunk = chunkOf(piece);
    const left = rows.of.get(chunk) ?? 0;
    const own = Math.max(0, Math.min(images, left, unexplained));
    kept.set(piece, own);
    rows.of.set(chunk, left - own);
    unexplained -= own;
  }
  return kept;
}

interface ChunkRows {
  /** Rows of each chunk that has a lost piece and no job. */
  of: Map<number, number>;
  /** Rows of all chunks that have no job: nobody is about to write more of them. */
  settled: number;
}

async function rowsByChunk(
  { runs, store }: RunState,
  run: string,
  jobs: readonly PendingJob[],
): Promise<ChunkRows> {
  const { chunks } = (await runs.get(run))!;
  const chunksOf = (pieces: readonly PendingJob[]) => pieces.map(({ piece }) => chunkOf(piece));
  const withJob = new Set(chunksOf(jobs.filter(({ lost }) => !lost)));
  const of = new Map(chunksOf(jobs.filter(({ lost }) => lost)).map((chunk) => [chunk, 0]));
  let settled = 0;
  let cursor: string | undefined;
  do {
    const page = await store.getRows(run, cursor);
    for (const { chunk } of page.rows.map(({ place }) => place)) {
      // Those of the others are announced since, and may be written at this moment.
      if (withJob.has(chunk) || chunk >= chunks) continue;
      settled++;
      const known = of.get(chunk);
      if (known !== undefined) of.set(chunk, known + 1);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  // A page may repeat rows of an earlier one while the run is written to.
  const { classified, failed } = await store.counts(run);
  return { of, settled: Math.min(settled, classified + failed) };
}
