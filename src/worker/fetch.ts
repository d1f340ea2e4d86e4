import { setMaxListeners } from 'node:events';
import { ClipfleetError } from '../shared/errors.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import { schemeOf } from '../shared/uriScheme.ts';
import { readDataUrl } from './fetchData.ts';
import { readFileUri } from './fetchFile.ts';
import { createUrlReader, type UrlOptions, type UrlReader } from './fetchUrl.ts';
import { isPublicAddress } from './guardedAgent.ts';

export interface FetchOptions {
  /** Root name → directory. `.` is the root of plain relative paths. */
  roots: Map<string, string>;
  /** Plain paths and `file:` URLs are read wherever they lead: for the user's own `label`, never for a fleet. */
  trustPaths: boolean;
  bytesMax: number;
  /** Of one whole fetch: name look-up, redirects and body together. */
  timeoutMs: number;
  redirectsMax: number;
  /** Lifts the check of addresses and nothing else. */
  allowPrivateAddresses: boolean;
  userAgent: string;
  politely?: UrlOptions['politely'];
}

export interface Fetcher {
  /**
   * The bytes of one image, at least 1 and at most `bytesMax`.
   *
   * Throws ClipfleetError with an `IMAGE_` code, FETCH_FAILED, FETCH_TIMEOUT, HOST_BUSY, HOST_DOWN or READ_FAILED; when `signal` is aborted, its
   * reason.
   */
  fetchImage(ref: ImageRef, signal?: AbortSignal): Promise<Uint8Array>;
  /** Closes idle connections and waits for the fetches that are under way. */
  close(): Promise<void>;
}

export function createFetcher(options: FetchOptions): Fetcher {
  const isAllowedAddress = options.allowPrivateAddresses ? () => true : isPublicAddress;
  const urls = createUrlReader({ ...options, isAllowedAddress });
  return {
    async fetchImage(ref, signal) {
      const bytes = await withDeadline(options.timeoutMs, signal, (deadline) =>
        readUri(ref.uri, options, urls, deadline),
      );
      if (bytes.length === 0) throw new ClipfleetError('IMAGE_EMPTY', 'Expected an image, got zero bytes.');
      return bytes;
    },
    close: () => urls.close(),
  };
}

async function readUri(
  uri: string,
  options: FetchOptions,
  urls: UrlReader,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const scheme = schemeOf(uri);
  if (scheme === undefined || scheme === 'root' || scheme === 'file')
    return readFileUri(uri, options, signal);
  if (scheme === 'http' || scheme === 'https') return urls.read(uri, signal);
  if (scheme === 'data') return readDataUrl(uri, options.bytesMax);
  throw new ClipfleetError(
    'IMAGE_URI_INVALID',
    `Expected a path or a root:, file:, http:, https: or data: URL, got a ${scheme.slice(0, 32)}: URL, which is not read.`,
  );
}

/**
 * Runs `work` for at most `timeoutMs`. The work is raced and not only told: a read from a dead network share hears no
 * signal. AbortSignal.any is avoided, because `outer` lives as long as the worker and would gather a listener a fetch.
 */
async function withDeadline<T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  outer?.throwIfAborted();
  const controller = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  // As many fetches as are in flight listen to one signal, which is no leak: each takes its listener back.
  if (outer !== undefined) setMaxListeners(0, outer);
  const stop = () => controller.abort(outer?.reason);
  outer?.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(() => {
    const message = `Expected all bytes within ${timeoutMs} ms; allow more time if the source is slow.`;
    controller.abort(new ClipfleetError('FETCH_TIMEOUT', message));
  }, timeoutMs);
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener('abort', stop);
  }
}
