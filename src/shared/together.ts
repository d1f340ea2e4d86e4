import PQueue from 'p-queue';

/** What is asked of Redis at a time: the commands share a round trip, and the answers do not fill memory. */
const AT_ONCE = 256;

/** The work on each item, many at a time; the results are in the items' order. Rejects with the first failure. */
export function together<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  return new PQueue({ concurrency: AT_ONCE }).addAll(items.map((item) => () => work(item)));
}
