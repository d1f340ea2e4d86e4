import type { Redis } from 'ioredis';
import { ClipfleetError } from '../shared/errors.ts';
import { untilAborted } from '../shared/untilAborted.ts';

/**
 * Gives up what waits for a Redis that is away. ioredis keeps commands until it is back, which is right for a worker and wrong for a service, whose own
 * caller waits.
 */
export interface Reachable {
  /**
   * What the work gives. It is told by a signal when it is not waited for any more.
   *
   * @throws REDIS_UNAVAILABLE once the connection has been away for so long, and the reason of the signal that is given, at once
   */
  whileReachable<T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  close(): void;
}

/** @param patienceMs how long the connection may be away, in milliseconds */
export function createReachable(redis: Redis, patienceMs: number): Reachable {
  const waiting = new Set<AbortController>();
  let timer: NodeJS.Timeout | undefined;
  let isGivenUp = false;

  function onAway(): void {
    timer ??= setTimeout(giveUp, patienceMs).unref();
  }

  function giveUp(): void {
    isGivenUp = true;
    for (const away of waiting) away.abort(unavailable(patienceMs));
  }

  function onReady(): void {
    clearTimeout(timer);
    timer = undefined;
    isGivenUp = false;
  }

  redis.on('close', onAway);
  redis.on('ready', onReady);
  if (redis.status !== 'ready') onAway();

  return {
    async whileReachable(signal, work) {
      if (isGivenUp) throw unavailable(patienceMs);
      const away = new AbortController();
      waiting.add(away);
      const either = signal ? AbortSignal.any([signal, away.signal]) : away.signal;
      try {
        return await untilAborted(either, () => work(either));
      } finally {
        waiting.delete(away);
      }
    },
    close() {
      redis.off('close', onAway);
      redis.off('ready', onReady);
      clearTimeout(timer);
    },
  };
}

function unavailable(patienceMs: number): ClipfleetError {
  const message = `Expected Redis to answer, but the connection has been away for ${patienceMs} ms. What was asked for may still be done when it is back.`;
  return new ClipfleetError('REDIS_UNAVAILABLE', message);
}
