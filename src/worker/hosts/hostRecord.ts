import { randomUUID } from 'node:crypto';
import type { Redis, Result } from 'ioredis';
import type { Logger } from '../../shared/log/log.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { hostScript } from './hostScript.ts';

/** What a worker says of a host since it last said something. */
export interface HostReport {
  /** Requests it has under way. */
  inUse: number;
  /** Slots it could use now, those in use among them. */
  wanted: number;
  /** Starts it was granted and does not need. */
  startsBack: number;
  /** Whether an answer was good. It makes what came before it void. */
  good: boolean;
  /** Connections that failed, timeouts and HTTP 5xx since the last good answer. */
  failures: number;
  /** Whether the host asked for fewer requests, and for how long, in ms; 0 when it did not say. */
  refused: boolean;
  askedMs: number;
  /** Whether the last failure was that there was no connection, which no path and no run has a part in. */
  unreachable: boolean;
  /** Where requests failed that the host answered or broke off: runs, each with the hash of a path. */
  failed: readonly (readonly [run: string, path: string])[];
  /** Runs whose images want to ask the host. */
  runs: readonly string[];
}

export interface HostAnswer {
  /** Requests the worker may have under way at once. */
  slots: number;
  /** Requests it may begin until it asks again. */
  starts: number;
  /** Time until it is worth asking again, in ms; 0 when only slots are lacking. */
  waitMs: number;
  state: 'open' | 'asked' | 'failing' | 'down';
  /** The host did not answer well the last time: one request at a time tries whether it does now. */
  trying: boolean;
  /** How long the host has been asking for fewer requests without a good answer in between, in ms. */
  refusingMs: number;
  /** How long the host has been failing without a good answer in between, in ms. */
  failingMs: number;
  /** While one request tries: the run that it should be of, or '' for any. */
  turnOf: string;
  /** Of the runs that were named: those for which the host is down. */
  condemned: readonly string[];
}

export const nothingGranted: HostAnswer = {
  slots: 0,
  starts: 0,
  waitMs: 0,
  state: 'open',
  trying: false,
  refusingMs: 0,
  failingMs: 0,
  turnOf: '',
  condemned: [],
};

export type VisitHost = (host: string, report: HostReport) => Promise<HostAnswer>;

export interface HostLimits {
  /** Requests under way at one host, of all workers together. */
  concurrency: number;
  /** Requests begun at one host in a second, of all workers together; undefined for no limit. */
  rate: number | undefined;
  /** How long a host may give nothing but failures before it counts as down. */
  downMs: number;
  /** What a worker holds of a host is free again after this time, if the worker is gone. */
  leaseMs?: number;
}

/** What the script answers, in its order. */
type ScriptAnswer = [
  slots: number,
  starts: number,
  waitMs: number,
  state: HostAnswer['state'],
  trying: number,
  refusingMs: number,
  failingMs: number,
  turnOf: string,
  condemned: string[],
];

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetVisitHost(host: string, ...args: (string | number)[]): Result<ScriptAnswer, Context>;
  }
}

/** The record the fleet shares of each host. One round trip says what a worker knows and what it may do. */
export function createHostRecord(redis: Redis, keys: Keys, limits: HostLimits): VisitHost {
  redis.defineCommand('clipfleetVisitHost', { numberOfKeys: 1, lua: hostScript });
  const worker = randomUUID();
  const { concurrency, rate = 0, downMs, leaseMs = 10_000 } = limits;
  return async (host, report) => {
    const [slots, starts, waitMs, state, trying, refusingMs, failingMs, turnOf, condemned] =
      await redis.clipfleetVisitHost(
        keys.host(host),
        ...[worker, leaseMs, concurrency, rate, downMs],
        ...[report.inUse, report.wanted, report.startsBack],
        ...[Number(report.good), report.failures, Number(report.refused), report.askedMs, Math.random()],
        ...[Number(report.unreachable), JSON.stringify({ runs: report.runs, failed: report.failed })],
      );
    const unlimited = rate === 0 && slots > 0;
    return {
      slots,
      starts: unlimited ? Number.POSITIVE_INFINITY : starts,
      waitMs,
      state,
      trying: trying === 1,
      refusingMs,
      failingMs,
      turnOf,
      condemned,
    };
  };
}

/** A visit that takes longer than this gave nothing. */
const VISIT_MS = 2_000;

/** Never rejects. When Redis is away, nothing is fetched without leave, and no image is to blame. */
export function visitInTime(visitHost: VisitHost, log: Logger): VisitHost {
  const nothing = { ...nothingGranted, waitMs: 1_000 };
  return async (host, report) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<HostAnswer>((resolve) => {
      timer = setTimeout(resolve, VISIT_MS, nothing);
    });
    const answer = visitHost(host, report).catch((error: unknown) => {
      log.error({ err: error, host }, 'the record of the host cannot be read');
      return nothing;
    });
    return Promise.race([answer, late]).finally(() => clearTimeout(timer));
  };
}
