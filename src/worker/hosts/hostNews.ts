import type { HostReport } from './hostRecord.ts';
import type { Outcome } from './hostState.ts';

/** What came of requests, as the record is told. */
export type HostNews = Pick<HostReport, 'good' | 'failures' | 'refused' | 'askedMs'>;

/** As many failures in a row as begin a backoff: who has not answered well yet has no credit. */
const FAILURES_OF_UNKNOWN = 3;

/** Gathers what came of the requests between two visits to the record. */
export function createHostNews() {
  const nothing: HostNews = { good: false, failures: 0, refused: false, askedMs: 0 };
  let news = { ...nothing };
  return {
    add(outcome: Outcome, isProven: boolean): void {
      if (outcome === 'good') news = { ...news, good: true, failures: 0 };
      else if (outcome === 'failed') news.failures += isProven ? 1 : FAILURES_OF_UNKNOWN;
      else if (outcome !== 'none') {
        news.refused = true;
        news.askedMs = Math.max(news.askedMs, outcome.refusedMs);
      }
    },
    /** What was gathered, once. */
    take(): HostNews {
      const taken = news;
      news = { ...nothing };
      return taken;
    },
  };
}
