export interface WaitingRoom {
  readonly size: number;
  /** Resolves to true when woken, in the order of coming or by the signal, or to false after `ms`. */
  wait(run: string, ms: number, signal?: AbortSignal): Promise<boolean>;
  /** Wakes as many as are here, and `count` at most; where a run is named, of that run alone. */
  wake(count: number, run?: string): void;
}

/** Where images wait for a turn, first come, first served. One that is woken and comes too late waits again. */
export function createWaitingRoom(): WaitingRoom {
  /** What wakes each, with its run. */
  const waiters = new Map<() => void, string>();
  return {
    get size() {
      return waiters.size;
    },

    wait(run, ms, signal) {
      return new Promise<boolean>((resolve) => {
        const settle = (isWoken: boolean) => {
          clearTimeout(patience);
          signal?.removeEventListener('abort', wakeUp);
          waiters.delete(wakeUp);
          resolve(isWoken);
        };
        const wakeUp = () => settle(true);
        const patience = setTimeout(settle, ms, false);
        waiters.set(wakeUp, run);
        signal?.addEventListener('abort', wakeUp);
        if (signal?.aborted) wakeUp();
      });
    },

    wake(count, run) {
      let left = count;
      for (const [wakeUp, itsRun] of waiters) {
        if (left < 1) return;
        if (run !== undefined && itsRun !== run) continue;
        left--;
        wakeUp();
      }
    },
  };
}
