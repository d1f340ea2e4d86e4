import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Redis } from 'ioredis';
import {
  forgetServing,
  type RecentWork,
  reportServing,
  type ServingWorker,
  type WorkReport,
} from '../shared/fleet/servingWorkers.ts';
import type { Logger } from '../shared/log/log.ts';
import type { Keys } from '../shared/redis/keys.ts';

export interface ReportOptions {
  redis: Redis;
  keys: Keys;
  log: Logger;
  /** Identity of the model. */
  model: string;
  device: string;
  roots: Map<string, string>;
  everyMs: number;
  takeReport(): WorkReport;
  takeRecent(): RecentWork;
}

/** A record outlives this many windows, so that one that comes late does not make its worker vanish. */
const WINDOWS_KEPT = 3;

/**
 * Logs what the worker did in each window, if it did something, and says it in Redis either way, where `clipfleet status` and
 * `clipfleet workers` find it.
 */
export function startReporting(options: ReportOptions): { stop(): Promise<void> } {
  const { redis, keys, log, model, device, roots, everyMs, takeReport, takeRecent } = options;
  const about = { worker: randomUUID(), host: hostname(), pid: process.pid, model, device };
  let last: ServingWorker;
  let saying: Promise<void> | undefined;

  function report(): void {
    const work = takeReport();
    if (didSomething(work)) log.info({ ...about, ...rounded(work) }, 'worker report');
    const at = new Date().toISOString();
    last = { ...about, roots: Object.fromEntries(roots), at, ...work, ...takeRecent() };
    // While Redis is away one record waits for it, not one a window.
    saying ??= reportServing(redis, keys, last, WINDOWS_KEPT * everyMs)
      .catch((error: Error) => log.warn({ err: error }, 'worker report not stored'))
      .finally(() => {
        saying = undefined;
      });
  }

  report();
  const timer = setInterval(report, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      report();
      await saying;
      await forgetServing(redis, keys, last);
    },
  };
}

function didSomething({ stages }: WorkReport): boolean {
  return Object.values(stages).some(({ busy }) => busy > 0);
}

/** For reading: three digits of each number are what the clock and the machine are good for. */
function rounded<T>(value: T): T {
  if (typeof value === 'number') return Number(value.toPrecision(3)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, rounded(of)])) as T;
}
