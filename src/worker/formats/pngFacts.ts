import { crc32, inflateSync } from 'node:zlib';
import { BrokenImage, FileView, type ImageFacts } from './imageFacts.ts';
import { orientationOf } from './orientation.ts';

const SIGNATURE = '\x89PNG\r\n\x1a\n';
/** As Pillow bounds the text of one chunk (`MAX_TEXT_CHUNK`). */
const TEXT_BYTES_MAX = 1024 * 1024;
const EXIF_AS_TEXT = 'Raw profile type exif';
const XMP_AS_TEXT = 'XML:com.adobe.xmp';

interface Chunk {
  name: string;
  body: Uint8Array;
}

/**
 * Size, samples and orientation of a PNG. Chunks as in the PNG specification, 5.3.
 *
 * @throws {BrokenImage} where the signature was changed, or the header breaks off
 */
export function readPng(bytes: Uint8Array): ImageFacts {
  const view = new FileView(bytes);
  if (view.latin1(0, 8) !== SIGNATURE) {
    throw new BrokenImage('its signature was changed, as by a transfer in text mode');
  }
  if (view.latin1(12, 4) !== 'IHDR') throw new BrokenImage('it does not begin with its header');
  const [depth, colourType] = [view.getUint8(24), view.getUint8(25)];
  return {
    format: 'PNG',
    width: view.getUint32(16),
    height: view.getUint32(20),
    orientation: orientationIn(view),
    ...(depth === 16 && colourType === 0 && { samples: 'grey of 16 bits' as const }),
  };
}

/** Exif of its own chunk or as hexadecimal text, XMP as text; they may stand behind the pixels. */
function orientationIn(view: FileView) {
  const texts = new Map<string, string>();
  let exif: Uint8Array | undefined;
  for (const { name, body } of chunksOf(view)) {
    if (name === 'eXIf') exif = body;
    const [keyword, text] = textIn(name, body) ?? [];
    if (keyword !== undefined && text !== undefined) texts.set(keyword, text);
  }
  const hexadecimal = texts.get(EXIF_AS_TEXT)?.split('\n').slice(3).join('');
  exif ??= hexadecimal === undefined ? undefined : Buffer.from(hexadecimal.replace(/\s/g, ''), 'hex');
  return orientationOf({ exif, xmp: texts.get(XMP_AS_TEXT) });
}

/** The chunks after the first, so far as they are whole; image data are passed over without being touched. */
function* chunksOf(view: FileView): Generator<Chunk> {
  for (let at = 8; at + 12 <= view.byteLength; ) {
    const length = view.getUint32(at);
    if (at + 12 + length > view.byteLength) return;
    yield { name: view.latin1(at + 4, 4), body: view.bytes(at + 8, length) };
    at += 12 + length;
  }
}

/** Keyword and text of a tEXt, zTXt or iTXt chunk, a character for each byte. */
function textIn(name: string, body: Uint8Array): [string, string] | undefined {
  if (!['tEXt', 'zTXt', 'iTXt'].includes(name)) return undefined;
  const end = body.indexOf(0);
  if (end === -1) return undefined;
  const keyword = Buffer.from(body.subarray(0, end)).toString('latin1');
  if (keyword !== EXIF_AS_TEXT && keyword !== XMP_AS_TEXT) return undefined;
  let start = end + 1;
  let isDeflated = name === 'zTXt';
  if (name === 'zTXt') start += 1;
  if (name === 'iTXt') {
    isDeflated = body[start] === 1;
    // Compression flag and method, then the language and the translated keyword.
    start = body.indexOf(0, body.indexOf(0, start + 2) + 1) + 1;
  }
  const text = isDeflated ? inflated(body.subarray(start)) : body.subarray(start);
  return text && [keyword, Buffer.from(text).toString('latin1')];
}

function inflated(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return inflateSync(bytes, { maxOutputLength: TEXT_BYTES_MAX });
  } catch {
    // A comment that cannot be read turns nothing.
    return undefined;
  }
}

/** What is wrong with a PNG that its decoder gave up. */
export function explainPng(bytes: Uint8Array): string {
  const view = new FileView(bytes);
  for (let at = 8; at + 12 <= bytes.length; ) {
    const [length, name] = [view.getUint32(at), view.latin1(at + 4, 4)];
    if (at + 12 + length > bytes.length) {
      return `its chunk ${printable(name)} at byte ${at} goes past the end of the file's ${bytes.length} bytes`;
    }
    if (crc32(view.bytes(at + 4, length + 4)) !== view.getUint32(at + 8 + length)) {
      return `the checksum of its chunk ${printable(name)} at byte ${at} is wrong`;
    }
    if (name === 'IEND') return 'its compressed data contradict its header';
    at += 12 + length;
  }
  return `it breaks off after ${bytes.length} bytes, without an end chunk`;
}

function printable(name: string): string {
  return name.replace(/[^A-Za-z]/g, '?');
}
