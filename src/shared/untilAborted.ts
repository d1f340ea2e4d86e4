/**
 * What the work gives, or the signal's reason as soon as it is aborted. The work is then no longer waited for: it has to end by
 * itself, and what it fails with later is nobody's error.
 */
export function untilAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  if (!signal) return work();
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener('abort', abort, { once: true });
    work()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort));
  });
}

/** The items one by one, until the signal is aborted: then its reason is thrown, also while an item is waited for. */
export async function* itemsUntilAborted<T>(
  signal: AbortSignal | undefined,
  items: AsyncIterable<T>,
): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await untilAborted(signal, () => iterator.next());
      if (done) return;
      yield value;
    }
  } finally {
    // Not awaited: it would wait for an item that is under way.
    void iterator.return?.(undefined);
  }
}
