export interface WaitingRoom {
  readonly size: number;
  /** Resolves to true when woken, in the order of coming or by the signal, or to false after `ms`. */
  wait(ms: number, signal?: AbortSignal): Promise<boolean>;
  /** Wakes as many as are here, and `count` at most. */
  wake(count: number): void;
}

/** Where images wait for a turn, first come, first served. One that is woken and comes too late waits again. */
export function createWaitingRoom(): WaitingRoom {
  const waiters = new Set<() => void>();
  return {
    get size() {
      return waiters.size;
    },

    wait(ms, signal) {
      return new Promise<boolean>((resolve) => {
        const settle = (isWoken: boolean) => {
          clearTimeout(patience);
          signal?.removeEventListener('abort', wakeUp);
          waiters.delete(wakeUp);
          resolve(isWoken);
        };
        const wakeUp = () => settle(true);
        const patience = setTimeout(settle, ms, false);
        waiters.add(wakeUp);
        signal?.addEventListener('abort', wakeUp);
        if (signal?.aborted) wakeUp();
      });
    },

    wake(count) {
      for (const wakeUp of waiters) if (count-- > 0) wakeUp();
    },
  };
}
