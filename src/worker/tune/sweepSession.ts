import type { LoadedModel } from '../model/loadModel.ts';
import { imageBytesOf } from '../resize/resample.ts';

/** One way to run the session, and how fast it was each time it was tried. */
export interface SessionTrial {
  threads: number;
  batchSize: number;
  /** Images a second. */
  rates: number[];
}

export interface SweptSession {
  threads: number;
  /** Runs a batch of so many images. */
  runBatch: (batchSize: number) => Promise<unknown>;
}

/** A model's session, run with blank images. */
export function sweptSession(
  { session, preprocessing }: Pick<LoadedModel, 'session' | 'preprocessing'>,
  threads: number,
): SweptSession {
  const imageBytes = imageBytesOf(preprocessing);
  return {
    threads,
    runBatch: (batchSize) => session.embedImages(new Uint8Array(batchSize * imageBytes), batchSize),
  };
}

export const batchSizes = [1, 2, 4, 8, 16, 32, 64];

/** A doubled batch that gains less than this gains nothing, and of rates closer than this the smaller setting is taken. */
const GAIN = 1.03;
/** After so many doublings in a row without a gain, larger batches are not tried. */
const DOUBLINGS_IN_VAIN = 2;
/** A quiet machine repeats itself better than this. */
const UNSTEADY = 0.7;
/** Trials this near to the best are measured again, in turns. */
const NEAR = 0.85;
const ROUNDS_MAX = 7;
/** Less is lost in the noise of the clock and of the machine. */
const TRIAL_MS = 300;

/**
 * How many images a second the sessions take, by threads and batch size, within about `budgetMs`: each pair once, in growing
 * batches until they gain nothing, then the best again and again in turns, so that what else the machine does meets all.
 *
 * @param now a clock in milliseconds
 */
export async function sweepSession(
  sessions: readonly SweptSession[],
  budgetMs: number,
  now = () => performance.now(),
): Promise<SessionTrial[]> {
  const endsAt = now() + budgetMs;
  const trials: SessionTrial[] = [];

  async function measure(session: SweptSession, trial: SessionTrial): Promise<void> {
    const startedAt = now();
    let batches = 0;
    do {
      await session.runBatch(trial.batchSize);
      batches++;
    } while (now() - startedAt < TRIAL_MS);
    trial.rates.push((batches * trial.batchSize * 1000) / (now() - startedAt));
  }

  const growing = new Set(sessions);
  for (const session of sessions) await session.runBatch(1);
  for (const batchSize of batchSizes) {
    for (const session of growing) {
      const own = trials.filter(({ threads }) => threads === session.threads);
      const expectedMs = (batchSize * 1000) / (own.at(-1)?.rates[0] ?? Number.POSITIVE_INFINITY);
      if (isInVain(own) || (own.length > 0 && now() + expectedMs > endsAt)) growing.delete(session);
      else {
        const trial = { threads: session.threads, batchSize, rates: [] };
        await measure(session, trial);
        trials.push(trial);
      }
    }
  }

  const best = Math.max(...trials.map(rateOf));
  const near = trials.filter((trial) => rateOf(trial) >= NEAR * best);
  for (let round = 1; round < ROUNDS_MAX && near.length > 1; round++) {
    for (const trial of near) {
      const expectedMs = Math.max(TRIAL_MS, (trial.batchSize * 1000) / rateOf(trial));
      if (now() + expectedMs > endsAt) return trials;
      await measure(sessions.find(({ threads }) => threads === trial.threads)!, trial);
    }
  }
  return trials;
}

/** Whether the last doublings gained nothing over the best before them. */
function isInVain(trials: readonly SessionTrial[]): boolean {
  const before = trials.slice(0, -DOUBLINGS_IN_VAIN).map(rateOf);
  if (before.length === 0) return false;
  return trials.slice(-DOUBLINGS_IN_VAIN).every((trial) => rateOf(trial) < GAIN * Math.max(...before));
}

/** The median of its rates. */
export function rateOf({ rates }: Pick<SessionTrial, 'rates'>): number {
  return rates.toSorted((a, b) => a - b)[Math.floor(rates.length / 2)]!;
}

/** Whether the same trial came out so differently that something else must have been at work on the machine. */
export function isUnsteady({ rates }: Pick<SessionTrial, 'rates'>): boolean {
  return Math.min(...rates) < UNSTEADY * Math.max(...rates);
}

/**
 * The fastest; of those that are as fast within the noise, the first in the order given: put the smaller ones first, because a
 * smaller batch answers sooner, and a thread less leaves a core for decoding.
 */
export function fastest<T extends Pick<SessionTrial, 'rates'>>(trials: readonly T[]): T {
  const best = Math.max(...trials.map(rateOf));
  return trials.find((trial) => rateOf(trial) * GAIN >= best)!;
}
