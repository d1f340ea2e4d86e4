import type { Redis } from 'ioredis';
import type { Keys } from '../../shared/redis/keys.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { together } from '../../shared/together.ts';

/** Tells when runs end, by the word of whoever ends them. One connection serves all that wait. */
export interface RunEnds {
  /**
   * Begins to listen, and resolves when that is so: what happens from then on is heard. `ended` resolves when the run is complete
   * or cancelled; `stop` gives up.
   */
  listen(run: string): Promise<{ ended: Promise<void>; stop: () => void }>;
  close(): void;
}

/**
 * Words may be lost while the connection is made anew, and a Redis user may lack the right to say them: so often the runs that were waited for
 * at the last look too are looked at, all together.
 */
const LOOK_MS = 1_000;

/** Less than a connection may be silent before it is taken for a dead one. */
const PING_MS = 3_000;

export function createRunEnds(redis: Redis, keys: Keys, runs: Runs): RunEnds {
  const waiting = new Map<string, Set<() => void>>();
  let subscriber: Redis | undefined;
  let waitedBefore = new Set<string>();
  let timers: NodeJS.Timeout[] = [];

  function connection(): Redis {
    if (subscriber) return subscriber;
    const opened = redis.duplicate();
    subscriber = opened;
    // The other connection reports that Redis is away; this one connects anew by itself.
    opened.on('error', () => {});
    opened.on('message', (_, run: string) => tell(run));
    timers = [
      setInterval(() => void opened.ping().catch(() => {}), PING_MS).unref(),
      setInterval(() => void lookAtLate(), LOOK_MS).unref(),
    ];
    return opened;
  }

  function tell(run: string): void {
    for (const resolve of waiting.get(run) ?? []) resolve();
    waiting.delete(run);
  }

  async function lookAtLate(): Promise<void> {
    const now = [...waiting.keys()];
    const late = now.filter((run) => waitedBefore.has(run));
    waitedBefore = new Set(now);
    await together(late, async (run) => {
      // Without a record it was not opened yet.
      const record = await runs.get(run).catch(() => undefined);
      if (record?.state === 'complete' || record?.state === 'cancelled') tell(run);
    });
  }

  return {
    async listen(run) {
      let resolve = () => {};
      const ended = new Promise<void>((done) => {
        resolve = done;
      });
      const of = waiting.get(run) ?? new Set();
      waiting.set(run, of.add(resolve));
      await connection().subscribe(keys.ended());
      const stop = () => {
        of.delete(resolve);
        if (of.size === 0) waiting.delete(run);
      };
      return { ended, stop };
    },
    close() {
      for (const timer of timers) clearInterval(timer);
      subscriber?.disconnect();
      subscriber = undefined;
    },
  };
}
