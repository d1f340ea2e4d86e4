// What a worker and its decoders take at most, above what they take with nothing to do.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import type { Decoders } from '../../../src/worker/decoders/decoders.ts';
import { residentMiBOf } from '../../../src/worker/decoders/processTree.ts';
import { openStage, outcomeOf } from '../../support/decoderStage.ts';
import { pictures } from '../../support/fleet.ts';
import { temporaryFolder } from '../../support/support.ts';

const skip = process.platform === 'linux' ? false : 'processes are looked at in /proc';
const owl = join(pictures, 'owl.jpg');
/** 1 GB. Memory that processes share counts in each. */
const MEBIBYTES_MAX = 1e9 / 2 ** 20;
const LARGE = { width: 10_000, height: 10_000 };
const flat = { ...LARGE, channels: 3 as const, background: 'teal' };

const decodeAll = (stage: Decoders, files: string[]) =>
  Promise.all(files.map((file) => outcomeOf(stage, file)));

/** Outcomes of files decoded together, and the most memory above idle, MiB. */
async function peakOf(t: TestContext, files: string[]): Promise<{ outcomes: string[]; peak: number }> {
  const stage = openStage(t, { limits: { decodeTimeoutMs: 300_000 } });
  await decodeAll(stage, Array(8).fill(owl));
  const idle = residentMiBOf(process.pid);
  let most = idle;
  const looking = setInterval(() => {
    most = Math.max(most, residentMiBOf(process.pid));
  }, 10);
  const outcomes = await decodeAll(stage, files);
  clearInterval(looking);
  await stage.close();
  const peak = Math.round(most - idle);
  t.diagnostic(`${peak} MiB above ${Math.round(idle)} MiB`);
  return { outcomes, peak };
}

/** A grey PNG of zeros, one bit a pixel: 100 million pixels are 12 kB. */
function blackPng({ width, height }: { width: number; height: number }): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height), { level: 9 });
  const chunk = (name: string, body: Buffer) => {
    const named = Buffer.concat([Buffer.from(name, 'latin1'), body]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(body.length);
    sum.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, sum]);
  };
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([
    signature,
    chunk('IHDR', header),
    chunk('IDAT', rows),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Files of a few bytes, by what they are: how they are made, and what becomes of them. */
const bombs: Record<string, readonly [() => Buffer | Promise<Buffer>, outcome: string]> = {
  'PNGs of 99,999,999 × 1': [() => blackPng({ width: 99_999_999, height: 1 }), 'IMAGE_SIDE_TOO_LONG'],
  'PNGs of 65,000 × 1,538': [() => blackPng({ width: 65_000, height: 1_538 }), 'pixels'],
  'PNGs of 10,000 × 10,000': [() => blackPng(LARGE), 'pixels'],
  'lossless WebPs of 10,000 × 10,000': [
    () => sharp({ create: flat }).webp({ lossless: true, effort: 0 }).toBuffer(),
    'pixels',
  ],
};
for (const [kind, [made, outcome]] of Object.entries(bombs)) {
  test(`eight small files: ${kind} pixels`, { skip }, async (t) => {
    const bytes = await made();
    assert.ok(bytes.length < 20_000, `${bytes.length} bytes`);
    const file = join(await temporaryFolder(t), 'black');
    await writeFile(file, bytes);
    const { outcomes, peak } = await peakOf(t, Array(8).fill(file));
    assert.deepEqual(outcomes, Array(8).fill(outcome));
    assert.ok(peak < MEBIBYTES_MAX, `${peak} MiB`);
  });
}

const kinds: Record<string, (image: Sharp) => Sharp> = {
  JPEG: (image) => image.jpeg(),
  'progressive JPEG of 4:2:0': (image) => image.jpeg({ progressive: true }),
  'progressive JPEG of 4:4:4': (image) => image.jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
  'CMYK JPEG': (image) => image.toColourspace('cmyk').jpeg(),
  WebP: (image) => image.webp({ effort: 0 }),
  PNG: (image) => image.png({ compressionLevel: 1 }),
  GIF: (image) => image.gif({ effort: 1 }),
  TIFF: (image) => image.tiff({ compression: 'lzw' }),
};
for (const [kind, saved] of Object.entries(kinds)) {
  test(`twelve images of 100 million pixels: ${kind}`, { skip }, async (t) => {
    const file = join(await temporaryFolder(t), 'large');
    await saved(sharp({ create: flat })).toFile(file);
    const { outcomes, peak } = await peakOf(t, Array(12).fill(file));
    assert.deepEqual(outcomes, Array(12).fill('pixels'));
    assert.ok(peak < MEBIBYTES_MAX, `${peak} MiB`);
  });
}

test('20,000 small images leave nothing behind', { skip }, async (t) => {
  const small = join(await temporaryFolder(t), 'small.jpg');
  const create = { width: 64, height: 64, channels: 3 as const, background: 'teal' };
  await sharp({ create }).jpeg().toFile(small);
  const stage = openStage(t);
  const takenAfter = async (images: number) => {
    for (let done = 0; done < images; done += 500) await decodeAll(stage, Array(500).fill(small));
    await delay(500);
    return residentMiBOf(process.pid);
  };
  const first = await takenAfter(5_000);
  const taken = [await takenAfter(5_000), await takenAfter(5_000), await takenAfter(5_000)];
  t.diagnostic(`${Math.round(first)} MiB, then ${taken.map(Math.round).join(', ')}`);
  assert.ok(Math.min(...taken) < first + 30, `${first} MiB, then ${taken} MiB`);
});
