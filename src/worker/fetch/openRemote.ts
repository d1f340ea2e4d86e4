import { setTimeout as delay } from 'node:timers/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import type { RemoteReader } from '../../shared/refs/remoteReader.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { withDeadline } from './fetch.ts';
import { createS3Reader } from './fetchS3.ts';
import { createUrlReader } from './fetchUrl.ts';
import { isPublicAddress, lookUpHere } from './guardedAgent.ts';
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

const ATTEMPTS = 5;
const BACKOFF_MS = 200;

/**
 * Reads lists and archives by the rules by which images are read, piece by piece: the connection of a source that fills
 * Redis, pauses and goes on after hours would not last. A request that fails and may pass is made again.
 *
 * Its functions throw ClipfleetError with the codes of an image.
 */
export function openRemote(options: RemoteOptions): RemoteReader {
  const isAllowedAddress = options.allowPrivateAddresses ? () => true : isPublicAddress;
  const limits = { ...options, bytesMax: Number.MAX_SAFE_INTEGER, lookUpName: lookUpHere };
  const urls = createUrlReader({ ...limits, isAllowedAddress });
  const s3 = createS3Reader(options.s3 ?? s3Environment(process.env), limits);
  const patiently = <T>(request: (signal: AbortSignal) => Promise<T>) =>
    again(() => withDeadline(options.timeoutMs, undefined, request));
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

async function again<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const mayPass = error instanceof ClipfleetError && error.retry;
      if (!mayPass || attempt === ATTEMPTS) throw error;
      await delay(BACKOFF_MS * 2 ** (attempt - 1));
    }
  }
}
