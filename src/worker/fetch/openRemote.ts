import type { RemoteReader } from '../../shared/refs/remoteReader.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { type RetriedHow, retried } from '../../shared/retried.ts';
import { withDeadline } from './fetch.ts';
import { createS3Reader } from './fetchS3.ts';
import { createUrlReader } from './fetchUrl.ts';
import { isPublicAddress } from './guardedAgent.ts';
import { type S3Environment, s3Environment } from './s3Environment.ts';

export interface RemoteOptions {
  allowPrivateAddresses: boolean;
  /** Of one request. */
  timeoutMs: number;
  redirectsMax: number;
  userAgent: string;
  /** The process's own when absent. */
  s3?: S3Environment;
}

/** Of one request. */
const tries: RetriedHow = { triesMax: 5, backoffMs: 200 };

/**
 * Reads lists and archives by the rules by which images are read, piece by piece: the connection of a source that fills
 * Redis, pauses and goes on after hours would not last. A request that fails and may pass is made again.
 *
 * Its functions throw ClipfleetError with the codes of an image.
 */
export function openRemote(options: RemoteOptions): RemoteReader {
  const isAllowedAddress = options.allowPrivateAddresses ? () => true : isPublicAddress;
  const limits = { ...options, bytesMax: Number.MAX_SAFE_INTEGER };
  const urls = createUrlReader({ ...limits, isAllowedAddress });
  const s3 = createS3Reader(options.s3 ?? s3Environment(process.env), limits);
  const patiently = <T>(request: (signal: AbortSignal) => Promise<T>) =>
    retried(() => withDeadline(options.timeoutMs, undefined, request), tries);
  return {
    readRange(uri, range) {
      const reader = schemeOf(uri) === 's3' ? s3 : urls;
      return patiently((signal) => reader.readRange(uri, range, signal));
    },
    async *listObjects(uri) {
      let after: string | undefined;
      do {
        const page = await patiently((signal) => s3.list(uri, after, signal));
        yield* page.keys;
        after = page.next;
      } while (after !== undefined);
    },
    async close() {
      await Promise.all([urls.close(), s3.close()]);
    },
  };
}
