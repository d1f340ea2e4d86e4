import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';

/** Twice the longest uri there may be: room for a data: URL and what stands beside it. */
export const LINE_BYTES_MAX = 8 * 1024 * 1024;

const NEWLINE = 0x0a;

/**
 * The lines of a text, those of each piece together. Lines end with `\n` or `\r\n` alone: Node's own readline breaks them
 * also at characters that may stand in the middle of a JSON text. Bytes that are no UTF-8 become U+FFFD. A byte order mark
 * at the beginning is left out.
 *
 * Throws an Error for a line of more than 8 MiB.
 */
export async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  let isFirst = true;
  for await (const piece of bytes) {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const lines = textOf([...begun, piece.subarray(0, end - 1)], isFirst).split('\n');
      isFirst = false;
      yield lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
      begun = [];
      begunBytes = 0;
    }
    begun.push(piece.subarray(end));
    begunBytes += piece.length - end;
    if (begunBytes > LINE_BYTES_MAX) throw new Error(`a line of more than ${LINE_BYTES_MAX} bytes`);
  }
  if (begunBytes > 0) yield [textOf(begun, isFirst)];
}

/** The bytes as UTF-8, where they begin with the byte order mark of UTF-16: so spreadsheets save "Unicode text". */
export async function* asUtf8(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { beginning, all } = await peek(bytes, (read) => read.length >= 2);
  const mark = beginning.length < 2 ? 0 : beginning.readUInt16BE(0);
  const encoding = mark === 0xfffe ? 'utf-16le' : mark === 0xfeff ? 'utf-16be' : undefined;
  if (encoding === undefined) return yield* all;
  const decoder = new TextDecoder(encoding);
  for await (const piece of all) yield Buffer.from(decoder.decode(piece, { stream: true }));
  yield Buffer.from(decoder.decode());
}

function textOf(pieces: Uint8Array[], isFirst: boolean): string {
  const text = Buffer.concat(pieces).toString();
  return isFirst && text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/** The bytes themselves, unpacked where they begin as gzip does: many a `.gz` was unpacked on its way. */
export async function* unpacked(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { beginning, all } = await peek(bytes, (read) => read.length >= 2);
  const isGzip = beginning[0] === 0x1f && beginning[1] === 0x8b;
  if (!isGzip) return yield* all;
  // Errors of either end the other, and come out where the unpacked bytes are taken.
  yield* pipeline(Readable.from(all, { objectMode: false }), createGunzip(), () => {});
}

/** The beginning of `bytes`, as far as `isEnough` or to its end, and all of it from the start. */
export async function peek(
  bytes: AsyncIterable<Uint8Array>,
  isEnough: (beginning: Buffer) => boolean,
): Promise<{ beginning: Buffer; all: AsyncGenerator<Uint8Array> }> {
  const iterator = bytes[Symbol.asyncIterator]();
  let beginning: Buffer = Buffer.alloc(0);
  while (!isEnough(beginning)) {
    const { value, done } = await iterator.next();
    if (done) break;
    beginning = Buffer.concat([beginning, value]);
  }
  async function* all() {
    try {
      yield beginning;
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { beginning, all: all() };
}
