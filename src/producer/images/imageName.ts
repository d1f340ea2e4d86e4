import { posix } from 'node:path';

/** The endings, without the dot and in lower case, by which images are known. The last three are JPEG by another name. */
export const imageExtensions = [
  'jpg',
  'jpeg',
  'png',
  'webp',
  'gif',
  'tif',
  'tiff',
  'avif',
  'bmp',
  'heic',
  'heif',
  'jfif',
  'jpe',
  'jif',
];

export function isImageName(name: string): boolean {
  const ending = endingOf(name);
  return ending !== undefined && imageExtensions.includes(ending);
}

/** What stands behind the last dot of a name, in lower case; undefined where nothing does. */
export function endingOf(name: string): string | undefined {
  const base = posix.basename(name);
  const dot = base.lastIndexOf('.');
  return dot > 0 && dot < base.length - 1 ? base.slice(dot + 1).toLowerCase() : undefined;
}

/** Bytes that tell whether a file without an ending is an image. */
export const BEGINNING_BYTES = 12;

/** How files begin, of the formats that are read; `?` stands for any byte. Of BMP, two letters alone would be many a text. */
const beginnings = [
  '\xff\xd8\xff',
  '\x89PNG\r\n\x1a\n',
  'GIF87a',
  'GIF89a',
  'RIFF????WEBP',
  'II*\0',
  'MM\0*',
  '????ftypavif',
  '????ftypavis',
  '????ftypheic',
  '????ftypheix',
  '????ftypmif1',
  'BM????\0\0\0\0',
];

/** Whether the first bytes of a file are those of an image. */
export function beginsAsImage(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.subarray(0, BEGINNING_BYTES)).toString('latin1');
  const matches = (beginning: string) =>
    text.length >= beginning.length && [...beginning].every((byte, i) => byte === '?' || byte === text[i]);
  return beginnings.some(matches);
}
