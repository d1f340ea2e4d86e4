import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Response } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import { retried } from '../../shared/retried.ts';
import { fileBytes, type RepositoryCache } from './hubCache.ts';
import { withFileLock } from './hubLock.ts';
import { type Hub, type HubAccess, reasonOf, unavailable } from './hubRequest.ts';

/** A file as the Hub lists it. */
export interface HubFile {
  path: string;
  bytes: number;
  /** SHA-256 of a file in LFS, git SHA-1 of any other. */
  etag: string;
}

export interface Download {
  access: HubAccess;
  hub: Hub;
  cache: RepositoryCache;
  url: string;
  file: HubFile;
  onReceived: (bytes: number) => void;
}

/** Broken connections in a row without a byte between them, and those that brought some bytes. */
const fruitlessMax = 5;
const fruitfulMax = 100;

/**
 * Brings a blob into the cache. Bytes are written at their own offsets into `<etag>.incomplete`, where the next try,
 * or the next process, goes on; the file's hash is computed from the disk; and only then it is renamed. Downloads
 * take turns through a lock. Should it fail, they write equal bytes at equal offsets, a restart begins a new file
 * instead of cutting the old one, and the hash has the last word: so a blob in the cache is never wrong.
 *
 * Throws HUB_CORRUPT when the hash is wrong twice, HUB_UNAVAILABLE when the connection does not hold.
 */
export async function downloadBlob(download: Download): Promise<void> {
  const { cache, file, access } = download;
  const blob = cache.blob(file.etag);
  await mkdir(dirname(blob), { recursive: true });
  await withFileLock(cache.lock(file.etag), access.signal, async () => {
    // Another process may have brought it while this one waited for the lock.
    if ((await fileBytes(blob)) === file.bytes) return;
    const partial = `${blob}.incomplete`;
    try {
      await completeBlob(download, partial, blob);
    } catch (error) {
      if (!(error instanceof ClipfleetError) || error.code !== 'HUB_CORRUPT') throw error;
      await completeBlob(download, partial, blob);
    }
  });
}

/** Leaves no partial file behind when that is corrupt. */
async function completeBlob(download: Download, partial: string, blob: string): Promise<void> {
  try {
    await receiveAll(download, partial);
    await checkHash(download, partial);
    await rename(partial, blob);
  } catch (error) {
    if (error instanceof ClipfleetError && error.code === 'HUB_CORRUPT') await rm(partial, { force: true });
    throw error;
  }
}

async function receiveAll(download: Download, partial: string): Promise<void> {
  const { access, hub, file, url } = download;
  let fruitful = 0;
  let came = false;
  async function receiveRest(): Promise<void> {
    const before = await fileBytes(partial);
    if (before === file.bytes) return;
    const have = before !== undefined && before < file.bytes ? before : 0;
    if (have === 0) await rm(partial, { force: true });
    came = false;
    try {
      await receive(download, partial, have);
    } finally {
      came = ((await fileBytes(partial)) ?? 0) > have;
    }
    if ((await fileBytes(partial)) !== file.bytes)
      throw unavailable(access, `${url} ends before its ${file.bytes} bytes`);
  }
  await retried(receiveRest, {
    triesMax: fruitlessMax,
    backoffMs: hub.limits.backoffMs,
    signal: access.signal,
    mayPass: ({ code }) => code === 'HUB_UNAVAILABLE',
    gotOn: () => came && ++fruitful < fruitfulMax,
  });
}

/** One request: the bytes from `have` on, or all of them from a server that does not know ranges. */
async function receive(download: Download, partial: string, have: number): Promise<void> {
  const { hub, file, access, url, onReceived } = download;
  const response = await hub.get(url, have > 0 ? { range: `bytes=${have}-` } : {});
  const resumed = response.status === 206 && rangeStart(response) === have;
  if (!resumed && have > 0) await rm(partial, { force: true });
  if (!resumed && response.status !== 200) {
    await response.body?.cancel();
    return; // 416, or another range than asked for: the next request is for all.
  }
  const handle = await open(partial, constants.O_CREAT | constants.O_WRONLY);
  try {
    let at = resumed ? have : 0;
    onReceived(at);
    for await (const piece of bodyOf(response, access)) {
      if (at + piece.byteLength > file.bytes) throw corrupt(download, `more than its ${file.bytes} bytes`);
      await writeAt(handle, piece, at);
      at += piece.byteLength;
      onReceived(at);
    }
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** The pieces of a body. A connection that breaks or stands still is HUB_UNAVAILABLE. */
export async function* bodyOf(response: Response, access: HubAccess): AsyncGenerator<Uint8Array> {
  const pieces = response.body?.[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await pieces?.next().catch((error: unknown) => {
        access.signal?.throwIfAborted();
        throw unavailable(access, `the connection broke: ${reasonOf(error)}`, error);
      });
      if (next === undefined || next.done) return;
      yield next.value as Uint8Array;
    }
  } finally {
    await pieces?.return?.();
  }
}

/** First byte of a 206 answer, undefined when it does not say. */
export function rangeStart(response: Response): number | undefined {
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}

async function writeAt(handle: FileHandle, piece: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < piece.byteLength; ) {
    done += (await handle.write(piece, done, piece.byteLength - done, position + done)).bytesWritten;
  }
}

async function checkHash(download: Download, path: string): Promise<void> {
  const { file } = download;
  const hash = createHash(file.etag.length === 64 ? 'sha256' : 'sha1');
  if (file.etag.length === 40) hash.update(`blob ${file.bytes}\0`); // How git hashes a file.
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  const found = hash.digest('hex');
  if (found !== file.etag) throw corrupt(download, `the hash ${found}`);
}

function corrupt({ file, url }: Download, found: string): ClipfleetError {
  return new ClipfleetError(
    'HUB_CORRUPT',
    `${file.path} from ${url} should have the hash ${file.etag} and has ${found}. It was deleted; try again, and ` +
      'when that repeats, look for a proxy or mirror that changes files.',
  );
}
