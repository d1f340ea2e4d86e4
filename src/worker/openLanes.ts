import { ClipfleetError } from '../shared/errors.ts';
import type { Logger } from '../shared/log/log.ts';
import type { WatchedLane } from './health.ts';
import type { GivenBack } from './jobs/jobsInHand.ts';
import type { Lane } from './jobs/lane.ts';

export interface OpenLanes {
  /** Resolves when all take jobs. @throws REDIS_UNAVAILABLE */
  ready: Promise<void>;
  watched: WatchedLane[];
  /** Gives back what is in hand, in whatever lane. */
  giveBack(limitMs: number): Promise<GivenBack>;
  /** Finishes what is in hand, and closes them. */
  close(): Promise<void>;
}

/** The lanes of a worker, each of which can be opened anew while it is watched. */
export function openLanes<T extends { name: string }>(
  lanes: readonly T[],
  open: (lane: T) => Lane,
  log: Pick<Logger, 'warn'>,
): OpenLanes {
  /** Those that were left too: what they had in hand goes on. */
  const all: Lane[] = [];
  const current = lanes.map((lane) => {
    const opened = open(lane);
    all.push(opened);
    return opened;
  });

  function reopen(i: number): void {
    const old = current[i]!;
    // Not awaited: a lane that stands still may do so here too. It takes nothing from now on.
    old.close().catch((error: Error) => log.warn({ err: error, lane: old.name }, 'lane not closed'));
    const opened = open(lanes[i]!);
    opened.ready.catch((error: Error) => log.warn({ err: error, lane: old.name }, 'lane not opened anew'));
    current[i] = opened;
    all.push(opened);
  }

  return {
    ready: waitFor(current.map(({ ready }) => ready)),
    watched: lanes.map(({ name }, i) => ({
      name,
      taken: () => all.reduce((sum, lane) => sum + (lane.name === name ? lane.taken() : 0), 0),
      hasRoom: () => current[i]!.hasRoom(),
      waiting: () => current[i]!.waiting(),
      reopen: () => reopen(i),
    })),
    async giveBack(limitMs) {
      const given = await Promise.all(all.map((lane) => lane.giveBack(limitMs)));
      const sum = (name: keyof GivenBack) => given.reduce((total, of) => total + of[name], 0);
      return { givenBack: sum('givenBack'), left: sum('left') };
    },
    async close() {
      await Promise.all(current.map((lane) => lane.close()));
    },
  };
}

async function waitFor(ready: readonly Promise<unknown>[]): Promise<void> {
  try {
    await Promise.all(ready);
  } catch (error) {
    const message = `Expected Redis to stay while the lanes were opened, got: ${(error as Error).message}. Start again.`;
    throw new ClipfleetError('REDIS_UNAVAILABLE', message, { cause: error });
  }
}
