import { ClipfleetError } from '../../src/shared/errors.ts';
import { type FileOptions, readFileUri } from '../../src/worker/decoders/localFile.ts';
import { createFetcher, type FetchOptions } from '../../src/worker/fetch/fetch.ts';

export type ReadOptions = FetchOptions & FileOptions;

/** An image's bytes as they come to its decoder: fetched, or read from this machine by its rules. */
export async function readImage(uri: string, options: ReadOptions, signal?: AbortSignal): Promise<Buffer> {
  const fetcher = createFetcher(options);
  try {
    const source = await fetcher.fetchImage({ id: 'x', uri }, signal);
    if ('bytes' in source) return Buffer.from(source.bytes);
    const bytes = readFileUri(source.file.uri, options, source.file.range);
    if (bytes.length === 0) throw new ClipfleetError('IMAGE_EMPTY', 'Expected an image, got zero bytes.');
    return Buffer.from(bytes);
  } finally {
    await fetcher.close();
  }
}

/** By HTTP from this machine, at most 5,000 bytes and three redirects. */
export async function readUrl(
  uri: string,
  changes: Partial<ReadOptions> = {},
  signal?: AbortSignal,
): Promise<Buffer> {
  const options = {
    roots: new Map(),
    trustPaths: false,
    bytesMax: 5000,
    timeoutMs: 20_000,
    redirectsMax: 3,
    allowPrivateAddresses: true,
    userAgent: 'clipfleet-test/1',
    ...changes,
  };
  return await readImage(uri, options, signal);
}
