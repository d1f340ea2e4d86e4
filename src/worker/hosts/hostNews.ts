import { createHash } from 'node:crypto';
import type { HostReport } from './hostRecord.ts';
import type { Asker, Outcome } from './hostState.ts';

/** What came of requests, as the record is told. */
export type HostNews = Omit<HostReport, 'inUse' | 'wanted' | 'startsBack' | 'runs'>;

/** As many failures in a row as begin a backoff: who has not answered well yet has no credit. */
const FAILURES_OF_UNKNOWN = 3;
/** More places of one visit say no more. */
const FAILED_MAX = 16;

/** Gathers what came of the requests between two visits to the record. */
export function createHostNews() {
  const nothing: HostNews = {
    good: false,
    failures: 0,
    refused: false,
    askedMs: 0,
    unreachable: false,
    failed: [],
  };
  let news = { ...nothing };

  function addFailure({ run, path }: Asker, isProven: boolean, unreachable: boolean): void {
    const place = [run, hashOf(path)] as const;
    const failed = unreachable ? news.failed : [...news.failed, place].slice(-FAILED_MAX);
    const failures = news.failures + (isProven ? 1 : FAILURES_OF_UNKNOWN);
    news = { ...news, failures, unreachable, failed };
  }

  return {
    add(outcome: Outcome, asker: Asker, isProven: boolean): void {
      if (outcome === 'good') news = { ...news, good: true, failures: 0, unreachable: false, failed: [] };
      else if (outcome === 'failed' || outcome === 'unreachable')
        addFailure(asker, isProven, outcome === 'unreachable');
      else if (outcome !== 'none')
        news = { ...news, refused: true, askedMs: Math.max(news.askedMs, outcome.refusedMs) };
    },
    /** What was gathered, once. */
    take(): HostNews {
      const taken = news;
      news = { ...nothing };
      return taken;
    },
  };
}

/** Short: it only tells a few paths apart. */
function hashOf(path: string): string {
  return createHash('sha1').update(path).digest('hex').slice(0, 8);
}
