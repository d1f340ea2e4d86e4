import { setMaxListeners } from 'node:events';
import { ClipfleetError } from '../../shared/errors.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import type { ImageSource, LocalFile } from '../../shared/refs/imageSource.ts';
import { missingScheme } from '../../shared/refs/missingUri.ts';
import { type ByteRange, parseTarUri } from '../../shared/refs/tarUri.ts';
import { isUploadOf } from '../../shared/refs/uploadUri.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { wholeRange } from '../../shared/refs/wholeRange.ts';
import { createHostNames, type HostNames } from '../names/hostNames.ts';
import { readDataUrl } from './fetchData.ts';
import { createS3Reader, type S3Reader } from './fetchS3.ts';
import { createUrlReader, type UrlOptions, type UrlReader } from './fetchUrl.ts';
import { isPublicAddress } from './guardedAgent.ts';
import { type S3Environment, s3Environment } from './s3Environment.ts';

export interface FetchOptions {
  bytesMax: number;
  /** Of one whole fetch: name look-up, redirects and body together. */
  timeoutMs: number;
  redirectsMax: number;
  /** Lifts the check of addresses and nothing else. */
  allowPrivateAddresses: boolean;
  userAgent: string;
  /** The fleet's gateway, whose uploads are read wherever it is, and the key to show it. None are read when absent. */
  gateway?: { url: string; key?: string | undefined } | undefined;
  politely?: UrlOptions['politely'];
  /** What names lead to; its owner closes it. Remembered for this fetcher alone when absent. */
  names?: Pick<HostNames, 'lookup'>;
  /** The process's own when absent. */
  s3?: S3Environment;
}

/** What reads from elsewhere. */
interface Readers {
  urls: UrlReader;
  s3: S3Reader;
  /** The gateway's uploads. */
  uploads: UrlReader;
}

/** An image to be read for a run. A host that fails is asked for the images of one run and another in turn. */
export interface FetchRef extends ImageRef {
  run?: string;
}

export interface Fetcher {
  /**
   * The bytes of one image, at least 1 and at most `bytesMax`; of a file on this machine only where it is, because its decoder
   * reads it.
   *
   * Throws ClipfleetError with an `IMAGE_` code, FETCH_FAILED, FETCH_TIMEOUT, HOST_BUSY, HOST_DOWN or READ_FAILED; when `signal` is aborted, its
   * reason.
   */
  fetchImage(ref: FetchRef, signal?: AbortSignal): Promise<ImageSource>;
  /** Closes idle connections and waits for the fetches that are under way. */
  close(): Promise<void>;
}

export function createFetcher(options: FetchOptions): Fetcher {
  const isAllowedAddress = options.allowPrivateAddresses ? () => true : isPublicAddress;
  const ownNames = options.names === undefined ? createHostNames() : undefined;
  const lookUpName = (options.names ?? ownNames!).lookup;
  const { politely, gateway, ...limits } = options;
  const readers = {
    urls: createUrlReader({ ...limits, isAllowedAddress, lookUpName, ...(politely && { politely }) }),
    // No other host may be what the operator's own address leads to, so that the key goes nowhere else.
    uploads: createUrlReader({
      ...{ ...limits, redirectsMax: 0, isAllowedAddress: () => true, lookUpName },
      key: gateway?.key,
    }),
    s3: createS3Reader(options.s3 ?? s3Environment(process.env), { ...options, lookUpName }),
  };
  return {
    async fetchImage(ref, signal) {
      const file = localFileOf(ref.uri, options.bytesMax);
      if (file) return { file };
      const bytes = await withDeadline(options.timeoutMs, signal, (deadline) =>
        readUri(ref, options, readers, deadline),
      );
      if (bytes.length === 0) throw new ClipfleetError('IMAGE_EMPTY', 'Expected an image, got zero bytes.');
      return { bytes };
    },
    async close() {
      await Promise.all([readers.urls.close(), readers.s3.close(), readers.uploads.close()]);
      ownNames?.close();
    },
  };
}

/** What a decoder is to read: a file, or a member of an archive that is one. */
function localFileOf(uri: string, bytesMax: number): LocalFile | undefined {
  if (isLocal(uri)) return { uri };
  if (schemeOf(uri) !== 'tar') return undefined;
  const { range, archive } = memberOf(uri, bytesMax);
  return isLocal(archive) ? { uri: archive, range } : undefined;
}

function isLocal(uri: string): boolean {
  const scheme = schemeOf(uri);
  return scheme === undefined || scheme === 'root' || scheme === 'file';
}

/** Throws IMAGE_URI_INVALID, IMAGE_TOO_LARGE. */
function memberOf(uri: string, bytesMax: number): { range: ByteRange; archive: string } {
  const member = parseTarUri(uri);
  if (member.range.length <= bytesMax) return member;
  const message = `Expected at most ${bytesMax} bytes, got a member of ${member.range.length}; allow more bytes.`;
  throw new ClipfleetError('IMAGE_TOO_LARGE', message);
}

async function readUri(
  ref: FetchRef,
  options: FetchOptions,
  { urls, s3, uploads }: Readers,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { uri, run } = ref;
  if (options.gateway && isUploadOf(options.gateway.url, uri)) return uploads.read(uri, signal);
  const scheme = schemeOf(uri);
  if (scheme === 'http' || scheme === 'https') return urls.read(uri, signal, run);
  if (scheme === 's3') return s3.read(uri, signal);
  if (scheme === 'tar') return readMember(ref, options, { urls, s3, uploads }, signal);
  if (scheme === 'data') return readDataUrl(uri, options.bytesMax);
  throw unreadable(uri, scheme ?? '');
}

/** Those bytes of the archive and no others: it may have gigabytes. */
async function readMember(
  { uri, run }: FetchRef,
  options: FetchOptions,
  { urls, s3 }: Readers,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { range, archive } = memberOf(uri, options.bytesMax);
  // A range of no bytes cannot be asked for over HTTP.
  if (range.length === 0) return new Uint8Array();
  const scheme = schemeOf(archive);
  if (scheme === 'http' || scheme === 'https')
    return wholeRange(await urls.readRange(archive, range, signal, run), range);
  if (scheme === 's3') return wholeRange(await s3.readRange(archive, range, signal), range);
  throw unreadable(archive, scheme ?? '');
}

function unreadable(uri: string, scheme: string): ClipfleetError {
  const got =
    scheme === missingScheme ? missing(uri) : `a ${scheme.slice(0, 32)}: URL, which is not supported`;
  return new ClipfleetError(
    'IMAGE_URI_INVALID',
    `Expected a path or a root:, file:, http:, https:, s3:, tar: or data: URL, got ${got}.`,
  );
}

/** What a producer said of a row that names no image. */
function missing(uri: string): string {
  const [, place = uri, fault] = /^(.*:\d+)#(expected .*)$/s.exec(uri) ?? [];
  const row = `${JSON.stringify(place.slice(0, 200))}, a row of a list that names no image`;
  return fault === undefined ? `none at ${row}` : `none at ${row}: ${fault.slice(0, 300)}`;
}

/**
 * Runs `work` for at most `timeoutMs`. The work is raced and not only told: a read from a dead network share hears no
 * signal. AbortSignal.any is avoided, because `outer` lives as long as the worker and would gather a listener a fetch.
 */
export async function withDeadline<T>(
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
