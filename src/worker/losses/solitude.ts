/** Who works beside whom in one process. */
export interface Solitude {
  /** Works beside others, once nobody works alone or waits to. */
  together<T>(work: () => Promise<T>): Promise<T>;
  /** Works when nothing else does: an image that may end the process takes no other with it. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/**
 * Those that are to work alone go first, one after the other: what is in hand is finished before them, and what comes later waits. So
 * an image whose process has died says something of itself.
 */
export function createSolitude(): Solitude {
  let working = 0;
  let isAlone = false;
  const aloneLater: (() => void)[] = [];
  let togetherLater: (() => void)[] = [];

  function next(): void {
    if (isAlone) return;
    if (aloneLater.length > 0) {
      if (working === 0) aloneLater.shift()!();
      return;
    }
    const all = togetherLater;
    togetherLater = [];
    for (const begin of all) begin();
  }

  return {
    async together(work) {
      await new Promise<void>((resolve) => {
        togetherLater.push(() => {
          working++;
          resolve();
        });
        next();
      });
      try {
        return await work();
      } finally {
        working--;
        next();
      }
    },

    async alone(work) {
      await new Promise<void>((resolve) => {
        aloneLater.push(() => {
          isAlone = true;
          resolve();
        });
        next();
      });
      try {
        return await work();
      } finally {
        isAlone = false;
        next();
      }
    },
  };
}
