import { BEATS, type Heartbeats } from '../../shared/fleet/heartbeats.ts';
import type { Logger } from '../../shared/log/log.ts';

/** A fault that goes on is logged again after so long. */
const LOG_EVERY_MS = 60_000;

/** Says again and again that the worker lives, until it ends. */
export function startHeart(
  heartbeats: Pick<Heartbeats, 'beat' | 'leave'>,
  worker: string,
  patienceMs: number,
  log: Pick<Logger, 'warn'>,
): { leave(): Promise<void> } {
  let saidAt = -Infinity;
  let beating: Promise<void> | undefined;
  let isEnding = false;
  const say = (error: Error) => {
    if (Date.now() - saidAt < LOG_EVERY_MS) return;
    saidAt = Date.now();
    log.warn({ err: error }, 'heartbeat not taken');
  };
  const beat = () => {
    // While Redis is away one heartbeat waits for it.
    beating ??= heartbeats
      .beat(worker, patienceMs)
      .catch(say)
      .finally(() => {
        beating = undefined;
      });
  };
  beat();
  const timer = setInterval(beat, patienceMs / BEATS).unref();
  return {
    async leave() {
      if (isEnding) return;
      isEnding = true;
      clearInterval(timer);
      await beating;
      await heartbeats.leave(worker);
    },
  };
}
