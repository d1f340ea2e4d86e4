import type { RecentWork } from '../shared/fleet/servingWorkers.ts';
import type { Row } from '../shared/rows/row.ts';
import { shortened } from '../shared/shortened.ts';
import { version } from '../shared/version.ts';

/** A record is for a table: the log and the rows have all of it. */
const MESSAGE_CHARS_MAX = 200;

/** Notes what a worker did last, for those who ask who works here. */
export function createRecentWork() {
  const startedAt = new Date().toISOString();
  let lastBatch: RecentWork['lastBatch'];
  let lastError: RecentWork['lastError'];
  const now = () => new Date().toISOString();
  return {
    onBatch(images: number): void {
      lastBatch = { at: now(), images };
    },

    onRows(rows: readonly Row[]): void {
      const failed = rows.findLast((row) => row.status === 'failed');
      if (failed?.status !== 'failed') return;
      const { code, message } = failed.error;
      lastError = { at: now(), code, message: shortened(`${failed.id}: ${message}`, MESSAGE_CHARS_MAX) };
    },

    onLoggedError(message: string): void {
      lastError = { at: now(), message: shortened(message, MESSAGE_CHARS_MAX) };
    },

    /** @param inHand images in its stages now */
    read(inHand: number): RecentWork {
      return { version, startedAt, inHand, ...(lastBatch && { lastBatch }), ...(lastError && { lastError }) };
    },
  };
}
