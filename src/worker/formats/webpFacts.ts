import { BrokenImage, FileView, type ImageFacts } from './imageFacts.ts';
import { orientationOf } from './orientation.ts';

/**
 * Size and orientation of a WebP. Chunks as in the WebP container specification (RFC 9649, 2).
 *
 * @throws {BrokenImage} where the header breaks off or holds no image
 */
export function readWebp(bytes: Uint8Array): ImageFacts {
  const view = new FileView(bytes);
  const size = sizeOf(view);
  let [exif, xmp]: [Uint8Array | undefined, string | undefined] = [undefined, undefined];
  for (let at = 12; at + 8 <= bytes.length; ) {
    const [name, length] = [view.latin1(at, 4), view.getUint32(at + 4, true)];
    if (at + 8 + length > bytes.length) break;
    if (name === 'EXIF') exif ??= view.bytes(at + 8, length);
    if (name === 'XMP ') xmp ??= view.latin1(at + 8, length);
    at += 8 + length + (length & 1);
  }
  return { format: 'WebP', ...size, orientation: orientationOf({ exif, xmp }) };
}

function sizeOf(view: FileView): { width: number; height: number } {
  const name = view.latin1(12, 4);
  const body = 20;
  if (name === 'VP8X') {
    return { width: 1 + uint24(view, body + 4), height: 1 + uint24(view, body + 7) };
  }
  if (name === 'VP8L') {
    const bits = view.getUint32(body + 1, true);
    return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
  }
  if (name === 'VP8 ') {
    return {
      width: view.getUint16(body + 6, true) & 0x3fff,
      height: view.getUint16(body + 8, true) & 0x3fff,
    };
  }
  throw new BrokenImage('its first chunk is no image');
}

function uint24(view: FileView, at: number): number {
  return view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
}

/** What is wrong with a WebP that its decoder gave up. */
export function explainWebp(bytes: Uint8Array): string {
  const said = new FileView(bytes).getUint32(4, true) + 8;
  return said > bytes.length
    ? `it breaks off: its header says ${said} bytes, the file has ${bytes.length}`
    : 'its compressed data contradict its header';
}
