import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { type DecodeOptions, decodeWhole } from '../../../src/worker/decode/decode.ts';
import { repository } from '../../support/fleet.ts';
import { jpegOfScans } from '../formats/jpegOfScans.ts';

const limits: DecodeOptions = { pixelsMax: 1e6, timeoutMs: 10_000 };
const golden = (name: string) => readFile(join(repository, 'test/golden/decodes', name));

/** Grain that no format makes much smaller. */
function noise(width: number, height: number) {
  let state = 1;
  const pixels = Uint8Array.from({ length: width * height * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
  return sharp(pixels, { raw: { width, height, channels: 3 } });
}

async function faultOf(bytes: Uint8Array, options: DecodeOptions = limits): Promise<string> {
  try {
    await decodeWhole(bytes, options);
    return 'decoded';
  } catch (error) {
    assert.ok(error instanceof ClipfleetError, String(error));
    return `${error.code}: ${error.message}`;
  }
}

test('other formats are refused by name, whatever the file is called', async () => {
  const files: [string, RegExp][] = [
    ['<html>not found</html>', /HTML/],
    ['<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', /SVG/],
    ['%PDF-1.7', /PDF/],
    ['PK\x03\x04....', /ZIP/],
    ['8BPS\0\x01', /Photoshop/],
    ['\0\0\0\x0cjP  \r\n\x87\n', /JPEG 2000/],
    ['\xff\x0a\xfa\x7f', /JPEG XL/],
    ['\0\0\x01\0\x01\0', /Windows icon/],
    ['P6 1 1 255 abc', /Netpbm/],
    ['\0\0\0\x18ftypisom\0\0\0\0isommp42', /MP4/],
    ['Too Many Requests', /text/],
    ['BM is how this text begins', /text/],
    ['\x01\x02\x03\x04', /begins with 01020304/],
  ];
  for (const [content, name] of files) {
    const fault = await faultOf(Buffer.from(content, 'latin1'));
    assert.match(fault, /^IMAGE_UNSUPPORTED: /);
    assert.match(fault, name);
  }
});

test('a file that breaks off is corrupt in every format, and says what is missing', async () => {
  const cases: [string, RegExp][] = [
    ['plain.jpg', /without an end-of-image marker/],
    ['progressive.jpg', /without an end-of-image marker/],
    ['plain.png', /chunk IDAT at byte \d+ goes past the end/],
    ['plain.gif', /its first frame has \d+ of \d+ pixels/],
    ['plain.webp', /its header says \d+ bytes, the file has \d+/],
    ['444.avif', /one of its boxes goes past the end/],
    ['plain.bmp', /its pixels take \d+ bytes, and \d+ are there/],
  ];
  for (const [name, says] of cases) {
    const bytes = await golden(name);
    const fault = await faultOf(bytes.subarray(0, bytes.length * 0.8));
    assert.match(fault, /^IMAGE_CORRUPT: /, name);
    assert.match(fault, says);
  }
});

test('a PNG whose image data do not fit their checksum is corrupt, and the chunk is named', async () => {
  const bytes = await golden('plain.png');
  bytes[bytes.length - 18]! ^= 1;
  assert.match(await faultOf(bytes), /^IMAGE_CORRUPT: .*the checksum of its chunk IDAT at byte 33 is wrong/);
});

test('a truncated TIFF is corrupt, a whole one of CIELAB is unsupported', async () => {
  // Pixels first, so that the directory is lost; then the directory first, so that pixels are.
  const whole = await golden('tiff_lzw.tif');
  assert.match(
    await faultOf(whole.subarray(0, whole.length - 40)),
    /^IMAGE_CORRUPT: .*past the end of the file/,
  );
  const directoryFirst = await golden('raw.tif');
  const cut = directoryFirst.subarray(0, directoryFirst.length - 40);
  assert.match(await faultOf(cut), /^IMAGE_CORRUPT: .*its image data end at byte \d+, the file at \d+/);
  assert.match(await faultOf(await golden('cielab.tif')), /^IMAGE_UNSUPPORTED: .*CIELAB/);
});

test('codes do not come from another image that fails at the same time', async () => {
  const names = [
    'cielab.tif',
    'ycbcr.tif',
    'float.tif',
    'plain.jpg',
    'plain.png',
    'tiff_lzw.tif',
    '444.avif',
    'plain.webp',
  ];
  const files = await Promise.all(
    names.map(async (name) => {
      const bytes = await golden(name);
      return /cielab|ycbcr|float/.test(name) ? bytes : bytes.subarray(0, bytes.length * 0.7);
    }),
  );
  const alone: string[] = [];
  for (const bytes of files) alone.push(await faultOf(bytes));
  const rounds = await Promise.all(Array.from({ length: 200 }, (_, i) => faultOf(files[i % files.length]!)));
  for (const [i, fault] of rounds.entries()) assert.equal(fault, alone[i % files.length]);
});

test('bounds are checked before anything is decoded', async () => {
  const wide = await noise(300, 4).png().toBuffer();
  assert.match(await faultOf(wide, { ...limits, sideMax: 299 }), /^IMAGE_SIDE_TOO_LONG: .*300 × 4/);
  assert.equal(await faultOf(wide, { ...limits, sideMax: 300 }), 'decoded');
  assert.match(await faultOf(wide, { ...limits, pixelsMax: 1199 }), /^IMAGE_TOO_MANY_PIXELS: .*300 × 4/);
  assert.equal(await faultOf(wide, { ...limits, pixelsMax: 1200 }), 'decoded');
  assert.match(await faultOf(jpegOfScans(64, 501)), /^IMAGE_TOO_MANY_SCANS: .*500 scans.*501/);
  assert.equal(await faultOf(jpegOfScans(64, 500)), 'decoded');
  assert.match(await faultOf(jpegOfScans(64, 30), { ...limits, scansMax: 29 }), /^IMAGE_TOO_MANY_SCANS/);
});

test('a line of a hundred million pixels in a few bytes is refused at once', async () => {
  const header = (width: number, height: number) => {
    const body = Buffer.alloc(13);
    body.writeUInt32BE(width, 0);
    body.writeUInt32BE(height, 4);
    body.set([1, 0], 8);
    const chunk = (name: string, data: Buffer) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(data.length);
      return Buffer.concat([length, Buffer.from(name), data, Buffer.alloc(4)]);
    };
    const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
    return Buffer.concat([signature, chunk('IHDR', body), chunk('IDAT', deflateSync(Buffer.alloc(9)))]);
  };
  for (const [width, height] of [
    [99_999_999, 1],
    [1, 99_999_999],
  ] as const) {
    const fault = await faultOf(header(width, height), { ...limits, pixelsMax: 1e8 });
    assert.match(fault, /^IMAGE_SIDE_TOO_LONG/);
  }
});

test('what is accepted truncated has the rows that are there', async () => {
  const files = {
    jpg: await noise(200, 200).jpeg().toBuffer(),
    png: await noise(200, 200).png().toBuffer(),
    gif: await golden('plain.gif'),
    bmp: await golden('plain.bmp'),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const cut = bytes.subarray(0, bytes.length * 0.8);
    const whole = await decodeWhole(bytes, limits);
    const part = await decodeWhole(cut, { ...limits, truncated: 'accept' });
    assert.deepEqual([part.width, part.height], [whole.width, whole.height], name);
    // A bitmap begins with its last row.
    const row = name === 'bmp' ? whole.height - 1 : 0;
    const rowOf = ({ data, width }: typeof whole) => data.subarray(row * width * 3, (row + 1) * width * 3);
    assert.ok(Buffer.from(rowOf(part)).equals(rowOf(whole)), name);
  }
});
