/**
 * The source, with its first item fetched: what is wrong with it as a whole is thrown here, before anything is started
 * for it.
 */
export async function begin<T>(source: AsyncGenerator<T>): Promise<AsyncGenerator<T>> {
  const first = await source.next();
  return (async function* () {
    if (first.done) return;
    yield first.value;
    yield* source;
  })();
}
