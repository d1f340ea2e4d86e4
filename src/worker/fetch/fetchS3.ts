import type { ClipfleetError } from '../../shared/errors.ts';
import { shown } from '../../shared/refs/shownUri.ts';
import type { ByteRange } from '../../shared/refs/tarUri.ts';
import type { RangeRead } from '../../shared/refs/wholeRange.ts';
import { rangeHeader } from './byteRange.ts';
import { asFetchError } from './fetchError.ts';
import { createGuardedAgent, type LookUpName } from './guardedAgent.ts';
import { readAnswer } from './httpBody.ts';
import type { S3Environment } from './s3Environment.ts';
import { type ListPage, readListPage } from './s3List.ts';
import { createS3Client, s3Error } from './s3Request.ts';
import { formatS3Uri, parseS3Uri } from './s3Uri.ts';

export interface S3Reader {
  /** The object at an `s3:` uri, at most `bytesMax` bytes. The deadline is the signal's. Throws ClipfleetError. */
  read(uri: string, signal: AbortSignal): Promise<Uint8Array>;
  /** Those of a range of at least one byte. */
  readRange(uri: string, range: ByteRange, signal: AbortSignal): Promise<RangeRead>;
  /** A page, 1000 at most, of the objects whose uri begins with this one; `after` is the last page's `next`. */
  list(uri: string, after: string | undefined, signal: AbortSignal): Promise<ListPage>;
  close(): Promise<void>;
}

/** Bytes of a list's page: 1000 keys of 1024 bytes, each of which XML and the percent-encoding may make longer. */
const PAGE_BYTES_MAX = 16 * 1024 * 1024;

export function createS3Reader(
  environment: S3Environment,
  {
    bytesMax,
    timeoutMs,
    userAgent,
    lookUpName,
  }: { bytesMax: number; timeoutMs: number; userAgent: string; lookUpName: LookUpName },
): S3Reader {
  const agent = createGuardedAgent(() => true, timeoutMs, lookUpName);
  const client = createS3Client(agent, environment, userAgent);

  async function read(uri: string, range: ByteRange | undefined, signal: AbortSignal): Promise<RangeRead> {
    const headers: Record<string, string> = range ? { range: rangeHeader(range) } : {};
    const response = await client.get(parseS3Uri(uri), { headers, signal });
    const answer = await readAnswer(response, shown(uri), bytesMax, range);
    if (answer === undefined) throw s3Error(response, shown(uri));
    return answer;
  }

  async function list(uri: string, after: string | undefined, signal: AbortSignal): Promise<ListPage> {
    const { bucket, key: prefix } = parseS3Uri(uri);
    const query: Record<string, string> = { 'list-type': '2', 'encoding-type': 'url', prefix };
    if (after !== undefined) query['continuation-token'] = after;
    const response = await client.get({ bucket, key: '' }, { query, signal });
    const answer = await readAnswer(response, shown(uri), PAGE_BYTES_MAX, undefined);
    if (answer === undefined) throw s3Error(response, shown(uri));
    const { keys, next } = readListPage(Buffer.from(answer.bytes).toString(), shown(uri));
    return { keys: keys.map((key) => formatS3Uri({ bucket, key })), next };
  }

  return {
    read: async (uri, signal) => (await orFetchError(read(uri, undefined, signal), signal)).bytes,
    readRange: (uri, range, signal) => orFetchError(read(uri, range, signal), signal),
    list: (uri, after, signal) => orFetchError(list(uri, after, signal), signal),
    close: () => agent.close(),
  };
}

async function orFetchError<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    signal.throwIfAborted();
    throw asFetchError(error) satisfies ClipfleetError;
  }
}
