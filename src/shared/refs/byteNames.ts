import { realpathSync } from 'node:fs';

/*
 * A file's name is bytes, and not all are UTF-8. As text, each byte that is none is a lone surrogate, U+DC80 for 0x80 and so on, as
 * Python has it (PEP 383, surrogateescape): so names can be joined and compared, and no two of them become one.
 */

/** Well-formed UTF-8 (RFC 3629, section 4), and a byte that is none, in bytes written as characters of their number. */
const utf8OrByte =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: names may have any character
  /((?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})+)|([\x80-\xff])/g;

/** Lone ones only: with the flag `u`, half of a pair does not match. */
const loneBytes = /[\uDC80-\uDCFF]/gu;

const LONE = 0xdc00;

export function nameOfBytes(bytes: Uint8Array): string {
  const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = name.toString();
  if (!text.includes('\uFFFD')) return text;
  return name
    .toString('latin1')
    .replace(utf8OrByte, (_, utf8: string | undefined, byte: string) =>
      utf8 === undefined
        ? String.fromCharCode(LONE + byte.charCodeAt(0))
        : Buffer.from(utf8, 'latin1').toString(),
    );
}

export function isUtf8Name(name: string): boolean {
  return name.search(loneBytes) < 0;
}

/** A path as the functions of node:fs take it. */
export function pathBytes(path: string): string | Buffer {
  if (isUtf8Name(path)) return path;
  const bytesOf = (character: string) =>
    isUtf8Name(character) ? Buffer.from(character) : Buffer.from([character.charCodeAt(0) - LONE]);
  return Buffer.concat([...path].map(bytesOf));
}

/** For people and in ids: `caf\xE9.jpg`. */
export function shownName(name: string): string {
  return name.replace(loneBytes, (byte) => `\\x${hexOf(byte)}`);
}

/** Percent-encoded, byte for byte. */
export function encodeName(name: string): string {
  return name
    .split(/([\uDC80-\uDCFF])/u)
    .map((part) => (isUtf8Name(part) ? encodeURIComponent(part) : `%${hexOf(part)}`))
    .join('');
}

/** Throws URIError for a `%` without two hex digits. */
export function decodeName(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text)) throw new URIError('URI malformed');
  const bytes = Buffer.from(text)
    .toString('latin1')
    .replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return nameOfBytes(Buffer.from(bytes, 'latin1'));
}

/** The path with every link followed. Throws what the system says. */
export function followLinks(path: string): string {
  return nameOfBytes(realpathSync.native(pathBytes(path), { encoding: 'buffer' }));
}

function hexOf(byte: string): string {
  return (byte.charCodeAt(0) - LONE).toString(16).toUpperCase();
}
