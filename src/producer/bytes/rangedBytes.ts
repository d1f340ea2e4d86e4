import { type FileHandle, open } from 'node:fs/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import type { RemoteReader } from '../../shared/refs/remoteReader.ts';

/** Bytes that can be read at any place. */
export interface RangedBytes {
  size: number;
  /** How much is read at once where the next bytes are likely to be wanted too. */
  readAhead: number;
  /** `length` bytes from `offset`, fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const FILE_READ_AHEAD = 4096;
const REMOTE_READ_AHEAD = 1024 * 1024;
/** What one request asks for at most, so that it fits into its time. */
const REQUEST_BYTES = 8 * 1024 * 1024;

export async function openFileBytes(path: string): Promise<RangedBytes> {
  const handle = await open(path);
  const { size } = await handle.stat();
  return {
    size,
    readAhead: FILE_READ_AHEAD,
    read: (offset, length) => readFully(handle, offset, Math.min(length, Math.max(0, size - offset))),
    close: () => handle.close(),
  };
}

async function readFully(handle: FileHandle, offset: number, length: number): Promise<Uint8Array> {
  const buffer = Buffer.allocUnsafeSlow(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(buffer, read, length - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return buffer.subarray(0, read);
}

/**
 * The whole is as large as the first answer says; its functions throw SOURCE_INVALID when a later one says otherwise, and what
 * the remote does.
 */
export async function openRemoteBytes(uri: string, remote: RemoteReader): Promise<RangedBytes> {
  const { size } = await remote.readRange(uri, { offset: 0, length: 1 });
  return {
    size,
    readAhead: REMOTE_READ_AHEAD,
    async read(offset, length) {
      const pieces: Uint8Array[] = [];
      const end = Math.min(offset + length, size);
      for (let at = offset; at < end; at += REQUEST_BYTES) {
        const range = { offset: at, length: Math.min(REQUEST_BYTES, end - at) };
        const piece = await remote.readRange(uri, range);
        if (piece.size !== size || piece.bytes.length !== range.length) throw changed(uri);
        pieces.push(piece.bytes);
      }
      return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
    },
    close: async () => {},
  };
}

function changed(uri: string): ClipfleetError {
  const message = `${uri}: expected it to stay as it is while it is read, but it was changed: read it again.`;
  return new ClipfleetError('SOURCE_INVALID', message);
}

/** All of it, piece by piece. */
export async function* inPieces({ size, readAhead, read }: RangedBytes): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size; offset += readAhead) yield await read(offset, readAhead);
}

/** Small reads that mostly go forward, served from what was read ahead. */
export function readingAhead({ readAhead, read }: RangedBytes): RangedBytes['read'] {
  let from = 0;
  let window: Uint8Array = new Uint8Array();
  return async (offset, length) => {
    if (offset < from || offset + length > from + window.length) {
      window = await read(offset, Math.max(length, readAhead));
      from = offset;
    }
    return window.subarray(offset - from, offset - from + length);
  };
}
