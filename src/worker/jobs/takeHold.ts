import type { Heartbeats } from '../../shared/fleet/heartbeats.ts';
import type { Logger } from '../../shared/log/log.ts';
import { pieceOf } from '../../shared/runs/chunkJob.ts';
import type { Losses } from '../../shared/runs/losses.ts';
import type { Begun } from '../../shared/runs/run.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { type Postponed, postponed } from '../verdicts/jobVerdict.ts';
import type { TakenChunk } from './intake.ts';
import type { Todo } from './labelImages.ts';

export interface TakeHoldOptions {
  runs: Pick<Runs, 'begin'>;
  losses: Pick<Losses, 'charge'>;
  heartbeats: Pick<Heartbeats, 'fateOf'>;
  /** This worker's name in the ledger. */
  worker: string;
  log: Pick<Logger, 'warn'>;
}

export type TakeHold = ReturnType<typeof createTakeHold>;

/** Between two workers that took one job at once. */
const AGAIN_MS = 1_000;

/**
 * Says in the ledger that this worker holds a piece. Where it is another's that died, the death is charged to the images that have no row. One
 * whose lock ran out while it lives, or that said goodbye, is not charged; one that is silent and may yet live is waited for.
 */
export function createTakeHold({ runs, losses, heartbeats, worker, log }: TakeHoldOptions) {
  return async (
    chunk: TakenChunk,
    alone: boolean,
    looking: Promise<Todo[]>,
  ): Promise<Exclude<Begun, { kind: 'held' }> | Postponed> => {
    const { run, images } = chunk;
    const piece = pieceOf(chunk);
    const begun = await runs.begin(chunk, piece, images.length, { worker, alone });
    if (begun.kind !== 'held') return begun;
    const from = begun.worker;
    const fate = await heartbeats.fateOf(from);
    if (fate.kind === 'silent') return postponed(fate.waitMs);
    if (fate.kind === 'dead') {
      const ids = (await looking).map(({ ref }) => ref.id);
      log.warn({ run, piece, images: ids.length, worker: from }, 'a worker died with a job');
      if (ids.length > 0) await losses.charge(run, piece, from, ids);
    }
    const again = await runs.begin(chunk, piece, images.length, { worker, alone, from });
    return again.kind === 'held' ? postponed(AGAIN_MS) : again;
  };
}
