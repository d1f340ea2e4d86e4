import { pieceOf, salvageChunk } from '../../shared/runs/chunkJob.ts';
import type { Runs } from '../../shared/runs/runs.ts';

/** What became of the jobs that a worker had in hand when it had to end. */
export interface GivenBack {
  /** Jobs that are in their lane again. */
  givenBack: number;
  /** Jobs that Redis did not take back: they come back when their locks run out. */
  left: number;
}

/** What is asked of BullMQ's job. */
type HeldJob = Parameters<typeof salvageChunk>[0] & {
  moveToDelayed(timestamp: number, token?: string): Promise<void>;
};

/** Not at once: this worker may be about to take one more, and would take it. */
const AWAY_MS = 1_000;

/**
 * The jobs a worker works on, and how they go back to their lane at once: whoever takes one next does what has no row, and
 * no attempt is spent.
 *
 * @param worker its name in the ledger
 * @param moved what tells BullMQ that its job was moved elsewhere meanwhile
 */
export function createJobsInHand(runs: Pick<Runs, 'release'>, worker: string, moved: () => Error) {
  const held = new Map<HeldJob, () => Promise<void>>();

  return {
    get size(): number {
      return held.size;
    },

    /** Does the work on the job, unless it is given back meanwhile: then what comes of the work is nothing to BullMQ. */
    hold(job: HeldJob, token: string | undefined, work: () => Promise<void>): Promise<void> {
      return new Promise((resolve, reject) => {
        const giveBack = async () => {
          const chunk = salvageChunk(job);
          if (chunk) await runs.release(chunk, pieceOf(chunk), worker);
          await job.moveToDelayed(Date.now() + AWAY_MS, token);
          held.delete(job);
          reject(moved());
        };
        held.set(job, giveBack);
        work()
          .then(resolve, reject)
          .finally(() => held.delete(job));
      });
    },

    /** Gives back all of them, as far as Redis takes them within the time. */
    async giveBack(limitMs: number): Promise<GivenBack> {
      const jobs = [...held.values()];
      let givenBack = 0;
      const noted = () => {
        givenBack++;
      };
      // What cannot be given back is left to its lock, and so is counted.
      const given = jobs.map((giveBack) => giveBack().then(noted, () => {}));
      let timer: NodeJS.Timeout | undefined;
      const limit = new Promise((resolve) => {
        timer = setTimeout(resolve, limitMs);
      });
      await Promise.race([Promise.all(given), limit]).finally(() => clearTimeout(timer));
      return { givenBack, left: jobs.length - givenBack };
    },
  };
}
