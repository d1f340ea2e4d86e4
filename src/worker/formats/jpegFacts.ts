import { BrokenImage, FileView, type ImageFacts } from './imageFacts.ts';
import { orientationOf } from './orientation.ts';

const MARKER = 0xff;
const SOS = 0xda;
const EOI = 0xd9;
const APP1 = 0xe1;
/** Baseline, extended and progressive, Huffman or arithmetic: the frames that libjpeg-turbo decodes as Pillow has it. */
const READ_FRAMES = [0xc0, 0xc1, 0xc2, 0xc9, 0xca];
const PROGRESSIVE_FRAMES = [0xc2, 0xca];
const XMP_NAMESPACE = 'http://ns.adobe.com/xap/1.0/\0';

interface Frame {
  marker: number;
  precision: number;
  width: number;
  height: number;
  components: number;
  /** Samples of all components for one pixel of the image: 1.5 at 4:2:0, 3 at 4:4:4. */
  samplesPerPixel: number;
}

/** libjpeg keeps each as 16 bits. */
const COEFFICIENT_BYTES = 2;

/**
 * Size, orientation and scans of a JPEG. Segments as in ITU-T T.81, annex B.
 *
 * @throws {BrokenImage} where the header breaks off or holds no frame
 */
export function readJpeg(bytes: Uint8Array): ImageFacts {
  const view = new FileView(bytes);
  const exif: Uint8Array[] = [];
  let xmp: string | undefined;
  let frame: Frame | undefined;
  for (let at = 2; ; ) {
    const marker = view.getUint8(at + 1);
    // What is between two segments is passed over, as libjpeg does.
    if (view.getUint8(at) !== MARKER || marker === MARKER) {
      at += 1;
      continue;
    }
    if (isAlone(marker)) {
      if (marker === EOI) throw new BrokenImage('it ends before any image data');
      at += 2;
      continue;
    }
    const length = view.getUint16(at + 2);
    const body = view.bytes(at + 4, Math.max(0, length - 2));
    if (marker === SOS) return factsOf(bytes, at, frame, { exif, xmp });
    if (isStartOfFrame(marker)) frame ??= readFrame(view, marker, at + 4);
    if (marker === APP1 && startsWith(body, 'Exif\0\0'))
      exif.push(exif.length === 0 ? body : body.subarray(6));
    if (marker === APP1 && startsWith(body, XMP_NAMESPACE)) {
      xmp = Buffer.from(body.subarray(XMP_NAMESPACE.length)).toString('latin1');
    }
    at += 2 + length;
  }
}

function factsOf(
  bytes: Uint8Array,
  firstScan: number,
  frame: Frame | undefined,
  { exif, xmp }: { exif: Uint8Array[]; xmp: string | undefined },
): ImageFacts {
  if (frame === undefined) throw new BrokenImage('its image data come before any frame header');
  const { width, height } = frame;
  const isProgressive = PROGRESSIVE_FRAMES.includes(frame.marker);
  const isInOneScan = !isProgressive && bytes[firstScan + 4] === frame.components;
  const unsupported = unsupportedIn(frame);
  return {
    format: 'JPEG',
    width,
    height,
    orientation: orientationOf({ exif: exif.length > 0 ? Buffer.concat(exif) : undefined, xmp }),
    scans: isInOneScan ? 1 : countScans(bytes, firstScan),
    ...(!isInOneScan && {
      coefficientBytes: Math.ceil(width * height * frame.samplesPerPixel) * COEFFICIENT_BYTES,
    }),
    ...(frame.components === 4 && { samples: 'CMYK' as const }),
    ...(unsupported && { unsupported }),
  };
}

function unsupportedIn({ marker, precision, components }: Frame): string | undefined {
  if (!READ_FRAMES.includes(marker))
    return `a JPEG of process SOF${marker - 0xc0} (lossless or hierarchical)`;
  if (precision !== 8) return `a JPEG of ${precision} bits a sample`;
  return [1, 3, 4].includes(components) ? undefined : `a JPEG of ${components} components`;
}

/** SOF0 to SOF15, without the three among them that are DHT, JPG and DAC. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
}

/** Markers without a segment: RST0 to RST7, SOI, EOI, TEM, and the stuffed zero. */
function isAlone(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd9) || marker <= 0x01;
}

function readFrame(view: FileView, marker: number, at: number): Frame {
  const components = view.getUint8(at + 5);
  return {
    marker,
    precision: view.getUint8(at),
    width: view.getUint16(at + 3),
    height: view.getUint16(at + 1),
    components,
    samplesPerPixel: samplesPerPixel(view, at + 6, components),
  };
}

/** From the sampling factors of each component, two numbers in one byte: the largest of each direction has all of the image's pixels. */
function samplesPerPixel(view: FileView, at: number, components: number): number {
  const factors = Array.from({ length: components }, (_, place) => view.getUint8(at + 3 * place + 1));
  const across = factors.map((both) => both >> 4);
  const down = factors.map((both) => both & 0x0f);
  const most = Math.max(1, ...across) * Math.max(1, ...down);
  return factors.reduce((sum, _, place) => sum + (across[place]! * down[place]!) / most, 0);
}

/** Scans up to the end of the image: a small file may hold thousands, and each goes over all of it. */
function countScans(bytes: Uint8Array, firstScan: number): number {
  let scans = 0;
  for (let at = firstScan; at !== -1; at = bytes.indexOf(MARKER, at + 2)) {
    if (bytes[at + 1] === SOS) scans += 1;
    if (bytes[at + 1] === EOI) break;
    if (bytes[at + 1] === MARKER) at -= 1;
  }
  return scans;
}

/** What is wrong with a JPEG that its decoder gave up. */
export function explainJpeg(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = (marker: number) => buffer.lastIndexOf(Buffer.of(MARKER, marker));
  return last(EOI) > last(SOS)
    ? 'its compressed data contradict each other'
    : `it breaks off after ${bytes.length} bytes, without an end-of-image marker`;
}

function startsWith(body: Uint8Array, text: string): boolean {
  return Buffer.from(body.subarray(0, text.length)).toString('latin1') === text;
}
