/** Where the entries of a zip lie, as far as `torch.save` writes it: not compressed. Format: PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3. */
import type { ReadRange } from './safetensors.ts';

/** A range of the file, in bytes. */
export interface ZipEntry {
  offset: number;
  length: number;
}

const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
const LOCATOR_BYTES = 20;
const END_64_BYTES = 56;
const HEADER_BYTES = 46;
const LOCAL_BYTES = 30;
/** A checkpoint of thousands of tensors has a directory of some 100 kB. */
const DIRECTORY_BYTES_MAX = 64 * 1024 * 1024;

const END = 0x06054b50;
const END_64 = 0x06064b50;
const LOCATOR_64 = 0x07064b50;
const HEADER = 0x02014b50;
const LOCAL = 0x04034b50;
/** Stands for a number that is in the fields of zip64. */
const IN_ZIP_64 = 0xffff_ffff;

/**
 * The entries of a zip by their names.
 *
 * @throws RangeError, saying what came instead of a zip whose entries are stored as they are
 */
export async function readZipEntries(read: ReadRange, fileBytes: number): Promise<Map<string, ZipEntry>> {
  const directory = await readDirectory(read, fileBytes);
  const entries = new Map<string, ZipEntry>();
  for (let at = 0; at + HEADER_BYTES <= directory.length; ) {
    if (directory.readUInt32LE(at) !== HEADER) throw new RangeError('a zip with a broken directory');
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      directory.readUInt16LE(at + field),
    ) as [number, number, number];
    const end = at + HEADER_BYTES + nameBytes;
    const name = directory.subarray(at + HEADER_BYTES, end).toString('utf8');
    if (directory.readUInt16LE(at + 10) !== 0) throw new RangeError(`a zip with ${name} compressed`);
    const [, length, start] = sizesOf(directory, at, directory.subarray(end, end + extraBytes));
    // The local header has lengths of its own: the padding that aligns the data is there.
    const local = await readExactly(read, start, LOCAL_BYTES);
    if (local.readUInt32LE() !== LOCAL) throw new RangeError('a zip with a broken directory');
    const offset = start + LOCAL_BYTES + local.readUInt16LE(26) + local.readUInt16LE(28);
    if (offset + length > fileBytes) throw new RangeError('a zip that breaks off');
    entries.set(name, { offset, length });
    at = end + extraBytes + commentBytes;
  }
  return entries;
}

async function readDirectory(read: ReadRange, fileBytes: number): Promise<Buffer> {
  const tailStart = Math.max(0, fileBytes - END_BYTES - COMMENT_BYTES_MAX - LOCATOR_BYTES);
  const tail = await readExactly(read, tailStart, fileBytes - tailStart);
  const signature = Buffer.alloc(4);
  signature.writeUInt32LE(END);
  const at = tail.lastIndexOf(signature);
  if (at < 0 || at + END_BYTES > tail.length) {
    throw new RangeError('no zip: it was saved before PyTorch 1.6, or it is cut off');
  }
  let [length, start] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
  const locator = at - LOCATOR_BYTES;
  if (locator >= 0 && tail.readUInt32LE(locator) === LOCATOR_64) {
    const end = await readExactly(read, Number(tail.readBigUInt64LE(locator + 8)), END_64_BYTES);
    if (end.readUInt32LE() !== END_64) throw new RangeError('a zip with a broken directory');
    [length, start] = [Number(end.readBigUInt64LE(40)), Number(end.readBigUInt64LE(48))];
  }
  if (length > DIRECTORY_BYTES_MAX) throw new RangeError(`a zip with a directory of ${length} bytes`);
  return readExactly(read, start, length);
}

/** Bytes as they are, as they lie there, and where the local header begins; of zip64, those that did not fit. */
function sizesOf(directory: Buffer, at: number, extra: Buffer): [number, number, number] {
  const sizes = [24, 20, 42].map((field) => directory.readUInt32LE(at + field)) as [number, number, number];
  for (let field = 0; field + 4 <= extra.length; field += 4 + extra.readUInt16LE(field + 2)) {
    if (extra.readUInt16LE(field) !== 1) continue;
    let from = field + 4;
    for (const [i, size] of sizes.entries()) {
      if (size !== IN_ZIP_64) continue;
      if (from + 8 > extra.length) throw new RangeError('a zip with a broken directory');
      sizes[i] = Number(extra.readBigUInt64LE(from));
      from += 8;
    }
  }
  return sizes;
}

async function readExactly(read: ReadRange, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.from(await read(start, length));
  if (bytes.length < length) throw new RangeError('a zip that breaks off');
  return bytes;
}
