/** The formats whose pixels are read. */
export const imageFormats = ['JPEG', 'PNG', 'WebP', 'GIF', 'TIFF', 'AVIF', 'BMP', 'HEIC'] as const;

export type ImageFormat = (typeof imageFormats)[number];

/** What the first bytes say. */
export type Identity = { format: ImageFormat } | { foreign: string };

/** Bytes, one character each, and where they stand. Formats that are read. */
const known: [ImageFormat, string, number?][] = [
  ['JPEG', '\xff\xd8\xff'],
  ['PNG', '\x89PNG'],
  ['GIF', 'GIF87a'],
  ['GIF', 'GIF89a'],
  ['WebP', 'WEBP', 8],
  ['TIFF', 'II*\0'],
  ['TIFF', 'MM\0*'],
  ['TIFF', 'II+\0'],
  ['TIFF', 'MM\0+'],
];

/** Formats that are refused by name. */
const foreign: [string, string, number?][] = [
  ['JPEG 2000', '\0\0\0\x0cjP  '],
  ['JPEG 2000', '\xff\x4f\xff\x51'],
  ['JPEG XL', '\0\0\0\x0cJXL '],
  ['JPEG XL', '\xff\x0a'],
  ['JPEG XR', 'II\xbc'],
  ['Photoshop', '8BPS'],
  ['Windows icon', '\0\0\x01\0'],
  ['Windows cursor', '\0\0\x02\0'],
  ['PDF', '%PDF'],
  ['PostScript', '%!PS'],
  ['OpenEXR', 'v/1\x01'],
  ['Radiance', '#?RADIANCE'],
  ['Radiance', '#?RGBE'],
  ['DirectDraw surface', 'DDS '],
  ['QOI', 'qoif'],
  ['FITS', 'SIMPLE  ='],
  ['Apple icon', 'icns'],
  ['Silicon Graphics', '\x01\xda'],
  ['Sun raster', '\x59\xa6\x6a\x95'],
  ['DICOM', 'DICM', 128],
  ['ZIP', 'PK\x03\x04'],
  ['gzip', '\x1f\x8b'],
  ['Matroska or WebM', '\x1a\x45\xdf\xa3'],
  ['RIFF', 'RIFF'],
];

/** Sizes of a bitmap's second header: its two letters alone could begin any text. */
const BITMAP_HEADERS = [12, 40, 52, 56, 64, 108, 124];

/** What a file is, by its own first bytes; its name and what a server calls it decide nothing. */
export function identify(bytes: Uint8Array): Identity {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1');
  const format = known.find(([, magic, at = 0]) => head.startsWith(magic, at))?.[0];
  if (format) return { format };
  if (head.startsWith('ftyp', 4)) return identifyBrands(head);
  if (head.startsWith('BM') && BITMAP_HEADERS.includes(head.charCodeAt(14))) return { format: 'BMP' };
  const name = foreign.find(([, magic, at = 0]) => head.startsWith(magic, at))?.[0];
  return { foreign: name ?? nameOfText(head) ?? 'unknown' };
}

const AVIF_BRANDS = ['avif', 'avis'];
const HEIC_BRANDS = ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx', 'hevm', 'hevs'];

/** The brands of an ISO base media file (ISO/IEC 14496-12, 4.3): the major one, then those it is compatible with. */
function identifyBrands(head: string): Identity {
  const length = Math.min(head.length, (head.charCodeAt(2) << 8) | head.charCodeAt(3));
  const brands = [head.slice(8, 12)];
  for (let at = 16; at + 4 <= length; at += 4) brands.push(head.slice(at, at + 4));
  for (const brand of brands) {
    if (AVIF_BRANDS.includes(brand)) return { format: 'AVIF' };
    if (HEIC_BRANDS.includes(brand)) return { format: 'HEIC' };
  }
  if (brands.includes('mif1') || brands.includes('msf1')) return { foreign: 'HEIF of another codec' };
  return { foreign: 'MP4 or QuickTime video' };
}

function nameOfText(head: string): string | undefined {
  const start = head.replace(/^\xef\xbb\xbf/, '').trimStart();
  if (/^<svg|^<\?xml[\s\S]*<svg/i.test(start)) return 'SVG';
  if (/^<(!doctype html|html|head|body|script)/i.test(start)) return 'HTML';
  if (/^<\?xml/i.test(start)) return 'XML';
  if (/^P[1-7]\s/.test(start)) return 'Netpbm';
  return /^[\s\x20-\x7e]+$/.test(head) ? 'text' : undefined;
}
