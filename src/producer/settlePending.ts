import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import { jobId, salvageChunk } from '../shared/chunkJob.ts';
import type { Runs } from '../shared/runs.ts';

/** Far longer than a producer takes from announcing a chunk to adding its job. */
const SECOND_LOOK_MS = 1_000;

/**
 * What an earlier producer of the run left: the ids of images that wait in jobs, which need not be added again.
 *
 * A chunk that was announced and has no job would keep the run open for ever: its producer was cut off in between, and
 * its images come again from the source. It is withdrawn, after a second look, because a producer that is alive adds the
 * job within that time.
 */
export async function settlePending(run: string, queue: Queue, runs: Runs): Promise<Set<string>> {
  const waiting = new Set<string>();
  const look = async (chunks: number[]) => {
    const lost: number[] = [];
    for (const chunk of chunks) {
      const job = await queue.getJob(jobId(run, chunk, 0));
      if (job) for (const { id } of salvageChunk(job)?.images ?? []) waiting.add(id);
      else lost.push(chunk);
    }
    return lost;
  };
  const missing = await look(await runs.pendingChunks(run));
  if (missing.length === 0) return waiting;
  await delay(SECOND_LOOK_MS);
  for (const chunk of await look(missing)) await runs.withdraw(run, chunk, 0);
  return waiting;
}
