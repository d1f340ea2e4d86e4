import type { ByteRange } from './tarUri.ts';

/** What a producer reads of lists, archives and buckets that lie elsewhere; http(s) and S3. */
export interface RemoteReader {
  /** Bytes of the range, fewer where the whole ends in it, and the size of the whole. */
  readRange(uri: string, range: ByteRange): Promise<{ bytes: Uint8Array; size: number }>;
  /** The uris of the objects of a bucket whose uri begins with `uri`, sorted by their bytes, a page in memory at a time. */
  listObjects(uri: string): AsyncGenerator<string>;
  close(): Promise<void>;
}
