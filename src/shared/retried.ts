import { setTimeout as delay } from 'node:timers/promises';
import { ClipfleetError } from './errors.ts';

export interface RetriedHow {
  /** Tries in a row that may fail; the last one's error is thrown. */
  triesMax: number;
  /** Pause after the first failure in milliseconds; it doubles with each further one in a row, up to 8 s. */
  backoffMs: number;
  /** Ends the pauses, and the whole with its reason. */
  signal?: AbortSignal | undefined;
  /** Whether another try can help; `retry` in the table of errors when absent. */
  mayPass?: (error: ClipfleetError) => boolean;
  /** Whether the try that failed got something done: then failures are counted anew. */
  gotOn?: () => boolean;
}

const BACKOFF_MAX_MS = 8_000;

/** Does the work again while it fails with a ClipfleetError that may pass. */
export async function retried<T>(work: () => Promise<T>, how: RetriedHow): Promise<T> {
  const { triesMax, backoffMs, signal, mayPass = ({ retry }) => retry, gotOn } = how;
  for (let failures = 1; ; failures++) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof ClipfleetError && mayPass(error))) throw error;
      if (gotOn?.()) failures = 0;
      if (failures >= triesMax) throw error;
      const pauseMs = backoffMs * 2 ** Math.max(failures - 1, 0);
      await delay(Math.min(pauseMs, BACKOFF_MAX_MS), undefined, { signal }).catch(() =>
        signal?.throwIfAborted(),
      );
    }
  }
}
