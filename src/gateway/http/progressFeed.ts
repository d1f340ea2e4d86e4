import type { Producer } from '../../producer/producer.ts';
import type { RunProgress } from '../../producer/runs/runProgress.ts';

/** Told where a run is, whenever that has changed, until it has ended; or why it cannot be known. */
export interface ProgressListener {
  onProgress(progress: RunProgress): void;
  onError(error: unknown): void;
}

export interface ProgressFeed {
  /** Returns how to stop listening. */
  listen(run: string, listener: ProgressListener): () => void;
}

const LOOK_MS = 500;

/** Looks at each run that somebody listens to, once for all of them, twice a second. */
export function createProgressFeed({ progress }: Pick<Producer, 'progress'>): ProgressFeed {
  const listened = new Map<string, Set<ProgressListener>>();

  async function look(run: string, listeners: Set<ProgressListener>): Promise<void> {
    let last = '';
    while (listeners.size > 0) {
      try {
        const now = await progress(run);
        const text = JSON.stringify(now);
        if (text !== last) for (const listener of listeners) listener.onProgress(now);
        last = text;
        if (now.ended) break;
      } catch (error) {
        for (const listener of listeners) listener.onError(error);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS).unref());
    }
    // Who listens from now on gets a look of their own.
    if (listened.get(run) === listeners) listened.delete(run);
  }

  return {
    listen(run, listener) {
      const listeners = listened.get(run) ?? new Set();
      listeners.add(listener);
      if (!listened.has(run)) {
        listened.set(run, listeners);
        void look(run, listeners);
      } else {
        // What was seen last is not told again to those who know it: a late listener looks for itself.
        void progress(run).then(
          (now) => listeners.has(listener) && listener.onProgress(now),
          (error) => listener.onError(error),
        );
      }
      return () => listeners.delete(listener);
    },
  };
}
