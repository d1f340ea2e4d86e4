import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createBackOff } from '../../shared/backOff.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { BatchContext } from './batchContext.ts';
import { carryBatch } from './carryBatch.ts';

/** Carries the batches of a Redis, together with the other gateways. */
export interface BatchRunner {
  /** Looks for batches now, and not at the next look only. */
  look(): void;
  /** Leaves what is under way to others, or to the next start. */
  close(): Promise<void>;
}

/** How often it is looked for batches that nobody carries. */
const LOOK_MS = 2_000;
/** A gateway that died holds its batches no longer. */
const LEASE_MS = 6_000;
/** Others wait: each has windows in memory. */
const BATCHES_AT_ONCE = 4;

/** A batch is carried by whoever holds its lease. What two do of one batch by mistake they do alike, and nothing twice. */
export function startBatchRunner(context: BatchContext): BatchRunner {
  const { redis, keys, records, files, log } = context;
  const me = randomUUID();
  const closing = new AbortController();
  const carried = new Map<string, Promise<void>>();
  const whatFailed = () => 'batches';
  const backOff = createBackOff({ log, whatFailed, signal: closing.signal });
  let wake = () => {};

  async function hold(id: string): Promise<void> {
    const lease = keys.batchLease(id);
    if ((await redis.set(lease, me, 'PX', LEASE_MS, 'NX')) === null) return;
    const lost = new AbortController();
    const leaving = AbortSignal.any([closing.signal, lost.signal]);
    const renewing = setInterval(() => {
      redis.eval(renewScript, 1, lease, me, LEASE_MS).then(
        (held) =>
          held === 1 ||
          lost.abort(new ClipfleetError('GATEWAY_OVERLOADED', 'The lease of the batch was lost.')),
        () => {},
      );
    }, LEASE_MS / 3);
    try {
      await carryBatch(context, id, leaving);
      backOff.recovered();
    } catch (error) {
      if (!leaving.aborted) await backOff.fault(error);
    } finally {
      clearInterval(renewing);
      await redis.eval(freeScript, 1, lease, me).catch(() => {});
    }
  }

  async function lookOnce(): Promise<void> {
    for (const id of await records.underWay()) {
      if (carried.has(id) || carried.size >= BATCHES_AT_ONCE) continue;
      const end = hold(id)
        .catch((error) => log.warn({ err: error, batch: id }, 'batch not carried'))
        .finally(() => carried.delete(id));
      carried.set(id, end);
    }
  }

  async function lookOn(): Promise<void> {
    let sweptAt = Number.NEGATIVE_INFINITY;
    while (!closing.signal.aborted) {
      const waiting = new AbortController();
      wake = () => waiting.abort();
      await lookOnce().catch(() => {});
      if (performance.now() - sweptAt > SWEEP_MS) {
        sweptAt = performance.now();
        await files.sweep().catch((error) => log.warn({ err: error }, 'expired files not removed'));
      }
      const signal = AbortSignal.any([closing.signal, waiting.signal]);
      await delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  const looking = lookOn();
  return {
    look: () => wake(),
    async close() {
      closing.abort(new ClipfleetError('GATEWAY_UNAVAILABLE', 'The gateway ends.'));
      await Promise.all([looking, ...carried.values()]);
    },
  };
}

const SWEEP_MS = 600_000;

/** KEYS: a lease. ARGV: who holds it, and for how many milliseconds more. 1 where they did. */
const renewScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

/** KEYS: a lease. ARGV: who gives it back. */
const freeScript = `if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;
