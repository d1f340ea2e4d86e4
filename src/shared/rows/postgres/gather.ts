import { ClipfleetError } from '../../errors.ts';

/** What came to be written together, and who waits for it. */
interface Call<T, A> {
  items: readonly T[];
  resolve: (answer: A) => void;
  reject: (error: unknown) => void;
}

/**
 * Writes what several callers bring in one go: what gathered while the last one was under way, up to `most`. There is no clock: what
 * comes while nothing is under way goes at once.
 *
 * After an error that has a code of ours, which is one of the data, the calls go one by one, so that it harms none but its own.
 */
export function createGather<T, A>(write: (items: readonly T[]) => Promise<A>, most: number) {
  let waiting: Call<T, A>[] = [];
  let isUnderWay = false;

  function next(): Call<T, A>[] {
    let [calls, count] = [0, 0];
    while (calls < waiting.length && (calls === 0 || count + waiting[calls]!.items.length <= most))
      count += waiting[calls++]!.items.length;
    const taken = waiting.slice(0, calls);
    waiting = waiting.slice(calls);
    return taken;
  }

  async function writeCalls(calls: readonly Call<T, A>[]): Promise<void> {
    try {
      const answer = await write(calls.flatMap(({ items }) => items));
      for (const { resolve } of calls) resolve(answer);
    } catch (error) {
      if (calls.length === 1 || !(error instanceof ClipfleetError))
        for (const { reject } of calls) reject(error);
      else for (const call of calls) await writeCalls([call]);
    }
  }

  async function work(): Promise<void> {
    isUnderWay = true;
    while (waiting.length > 0) await writeCalls(next());
    isUnderWay = false;
  }

  /** Resolves to what the write answered that these items were in. */
  return (items: readonly T[]): Promise<A> =>
    new Promise((resolve, reject) => {
      waiting.push({ items, resolve, reject });
      if (!isUnderWay) void work();
    });
}
