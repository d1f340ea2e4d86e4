import { ClipfleetError } from '../shared/errors.ts';
import type { Logger } from '../shared/log/log.ts';

/** What is looked at of a lane. */
export interface WatchedLane {
  name: string;
  /** Jobs taken so far. */
  taken(): number;
  /** Whether it would take one more. */
  hasRoom(): boolean;
  /** Jobs that could be taken at once: none of them is delayed, for a paused run, a host or another attempt. */
  waiting(): Promise<number>;
  /** Opens it anew, beside what it has in hand. */
  reopen(): void;
}

export interface HealthOptions {
  /** Resolves when Redis answers. */
  ping(): Promise<unknown>;
  /** Resolves when a blank image went through the session. */
  probe(): Promise<unknown>;
  lanes: readonly WatchedLane[];
  log: Pick<Logger, 'warn'>;
  /** A clock in milliseconds. */
  now?: () => number;
}

/** What a worker says of itself. */
export interface HealthReport {
  ready: boolean;
  /** Why not, in words; empty when ready. */
  reasons: string[];
  redis: { answers: boolean };
  /** `lastGoodMs`: since a batch or a probe went well last. */
  session: { works: boolean; lastGoodMs: number | null };
  lanes: { name: string; waiting: number; taken: number; hasRoom: boolean; stuckMs: number }[];
}

export interface Health {
  /** A batch went well. */
  batchWentWell(): void;
  /** What the last look found. */
  report(): HealthReport;
  /** Looks once; told by a clock of `LOOK_MS`. */
  look(): Promise<void>;
  /** It is not ready any more, for this reason. */
  end(why: string): void;
  /** Rejects with LANE_STUCK. */
  died: Promise<never>;
}

/** Between two looks. */
export const LOOK_MS = 5_000;
/** For an answer of Redis. */
const PING_MS = 2_000;
/** A session that had nothing to do for so long is asked. */
const PROBE_AFTER_MS = 20_000;
/** What went well longer ago says nothing of now. */
const FRESH_MS = 60_000;
/** Looks in a row at which jobs waited, there was room, and none was taken: not ready; the lane is opened anew; the process ends. */
const [UNREADY_LOOKS, REOPEN_LOOKS, END_LOOKS] = [2, 12, 24];

interface LaneLook {
  taken: number;
  waiting: number;
  hasRoom: boolean;
  stuckLooks: number;
}

/**
 * Whether a worker works, made of what it did: batches, and jobs taken. A connection that answers proves little, since BullMQ's workers have
 * stood still with all their connections well.
 *
 * Counted are looks and not seconds, so that a process that was stopped for an hour has not been stuck for an hour.
 */
export function createHealth({
  ping,
  probe,
  lanes,
  log,
  now = () => performance.now(),
}: HealthOptions): Health {
  let redisAnswers = false;
  let lastGood: number | undefined;
  let isProbing = false;
  let ended: string | undefined;
  const looks = new Map<WatchedLane, LaneLook>();
  let die: (error: Error) => void;
  const died = new Promise<never>((_, reject) => {
    die = reject;
  });
  died.catch(() => {});

  const goodMs = () => (lastGood === undefined ? undefined : now() - lastGood);

  function askSession(): void {
    if (isProbing || (goodMs() ?? PROBE_AFTER_MS) < PROBE_AFTER_MS) return;
    isProbing = true;
    // One that hangs or is broken ends the process by itself.
    probe()
      .then(batchWentWell, () => {})
      .finally(() => {
        isProbing = false;
      });
  }

  async function lookAtLane(lane: WatchedLane): Promise<void> {
    const before = looks.get(lane);
    const [taken, hasRoom, waiting] = [lane.taken(), lane.hasRoom(), await lane.waiting()];
    const isStuck = waiting > 0 && hasRoom && taken === before?.taken && before.waiting > 0 && before.hasRoom;
    const stuckLooks = isStuck ? before.stuckLooks + 1 : 0;
    looks.set(lane, { taken, waiting, hasRoom, stuckLooks });
    const { name } = lane;
    if (stuckLooks === REOPEN_LOOKS) {
      log.warn(
        { lane: name, waiting },
        'no job taken for a minute though some wait: the lane is opened anew',
      );
      lane.reopen();
    }
    if (stuckLooks === END_LOOKS) {
      const message = `Expected jobs to be taken from lane ${name}, where ${waiting} wait: none was in two minutes, though it was opened anew.`;
      die(new ClipfleetError('LANE_STUCK', message));
    }
  }

  function batchWentWell(): void {
    lastGood = now();
  }

  return {
    batchWentWell,
    died,

    end(why) {
      ended ??= why;
    },

    async look() {
      askSession();
      redisAnswers = await within(ping(), PING_MS);
      // Without Redis nobody can tell what waits, and no job is to be had.
      if (redisAnswers) await within(Promise.all(lanes.map(lookAtLane)), PING_MS);
    },

    report() {
      const lastGoodMs = goodMs();
      const works = lastGoodMs !== undefined && lastGoodMs < FRESH_MS;
      const stuck = [...looks].filter(([, { stuckLooks }]) => stuckLooks >= UNREADY_LOOKS);
      const reasons = [
        ...(ended === undefined ? [] : [ended]),
        ...(redisAnswers ? [] : ['Redis does not answer']),
        ...(works ? [] : ['no batch and no probe of the session went well lately']),
        ...stuck.map(([{ name }]) => `jobs wait in lane ${name}, and none is taken`),
      ];
      return {
        ready: reasons.length === 0,
        reasons,
        redis: { answers: redisAnswers },
        session: { works, lastGoodMs: lastGoodMs === undefined ? null : Math.round(lastGoodMs) },
        lanes: [...looks].map(([{ name }, { stuckLooks, ...look }]) => {
          return { name, ...look, stuckMs: stuckLooks * LOOK_MS };
        }),
      };
    },
  };
}

/** Whether it came in time and without an error. */
async function within(answer: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  const came = answer.then(
    () => true,
    () => false,
  );
  return Promise.race([came, late]).finally(() => clearTimeout(timer));
}
