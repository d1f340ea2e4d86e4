import type { Queue } from 'bullmq';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { chunkOf, jobId, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Pending, Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';

/**
 * Empties a run's own lane, whose only worker is gone, so that nothing waits for that worker's locks to run out. Images
 * that have their row stay counted in the run; the others are taken back, and come again from the source.
 *
 * Resolves to the ids of images that waited for a retry: they have a failed row, so that the source does not bring them.
 */
export async function reclaimLane(
  run: string,
  lane: Queue,
  { runs, store }: { runs: Runs; store: ResultsStore },
): Promise<Set<string>> {
  const again = new Set<string>();
  /** Images of the piece's job, and rows of them. A piece without a job was never added: none of its images has a row. */
  async function look({ piece, generation }: Pending): Promise<{ jobImages: number; rows: number }> {
    const job = await lane.getJob(jobId(run, piece, generation));
    const ids = (job && salvageChunk(job)?.images.map(({ id }) => id)) ?? [];
    if (generation > 0) for (const id of ids) again.add(id);
    return { jobImages: ids.length, rows: ids.length > 0 ? (await store.find(run, ids)).size : 0 };
  }

  const pending = await runs.pending(run);
  const isWhole = ({ piece }: Pending) => piece === String(chunkOf(piece));
  const parts = new Map<number, { images: number; rows: number }>();
  await together(
    pending.filter((piece) => !isWhole(piece)),
    async (part) => {
      const own = (await look(part)).rows;
      const chunk = chunkOf(part.piece);
      const { images, rows } = parts.get(chunk) ?? { images: 0, rows: 0 };
      parts.set(chunk, { images: images + part.images, rows: rows + own });
      await runs.withdraw(run, part.piece, own);
    },
  );
  await together(pending.filter(isWhole), async (whole) => {
    const { jobImages, rows } = await look(whole);
    const ofParts = parts.get(chunkOf(whole.piece)) ?? { images: 0, rows: 0 };
    // A divided chunk's job has the images of its parts too; those of parts that are finished count as such already.
    const finished = Math.max(0, jobImages - whole.images - ofParts.images);
    await runs.withdraw(run, whole.piece, Math.max(0, rows - ofParts.rows - finished));
  });
  await lane.obliterate({ force: true });
  return again;
}
