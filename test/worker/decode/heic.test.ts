import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import sharp from 'sharp';
import { ClipfleetError } from '../../../src/shared/errors.ts';
import { decodeWhole } from '../../../src/worker/decode/decode.ts';
import { decodeHeic, type HeicTools } from '../../../src/worker/decode/heicImage.ts';
import { repository } from '../../support/fleet.ts';

const limits = { pixelsMax: 1e6, timeoutMs: 10_000 };
const heic = await readFile(join(repository, 'test/golden/decodes/plain.heic'));

/** Tools of a machine without `heic-decode`, with a program of our own in the place of `heif-convert`. */
async function toolsWith(t: TestContext, script: string): Promise<HeicTools> {
  const folder = await mkdtemp(join(tmpdir(), 'clipfleet-test-'));
  t.after(() => rm(folder, { recursive: true }));
  const heifConvert = join(folder, 'heif-convert');
  await writeFile(heifConvert, `#!/bin/sh\n${script}\n`);
  await chmod(heifConvert, 0o755);
  return {
    heicDecode: undefined,
    heifConvert,
    decodePng: (png) => decodeWhole(png, limits),
    timeoutMs: 10_000,
  };
}

const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'decoded',
    (error) => (error instanceof ClipfleetError ? `${error.code}: ${error.message}` : error),
  );

test('a HEIC that breaks off is corrupt, and nothing is printed about it', async (t) => {
  const printed = t.mock.method(console, 'log', () => {});
  const fault = await codeOf(decodeWhole(heic.subarray(0, heic.length - 200), limits));
  assert.match(String(fault), /^IMAGE_CORRUPT: Expected a whole HEIC/);
  assert.equal(printed.mock.callCount(), 0);
});

test('a HEIC is refused beyond the bounds, before any tool sees it', async () => {
  const fault = await codeOf(decodeWhole(heic, { ...limits, pixelsMax: 100 }));
  assert.match(String(fault), /^IMAGE_TOO_MANY_PIXELS/);
});

test('without a tool, HEIC is unsupported, and both ways out are named', async () => {
  const tools: HeicTools = {
    heicDecode: undefined,
    heifConvert: 'no-such-program-on-any-path',
    decodePng: () => assert.fail('nothing was converted'),
    timeoutMs: 10_000,
  };
  const fault = String(await codeOf(decodeHeic(heic, tools)));
  assert.match(fault, /^IMAGE_UNSUPPORTED: .*HEIC/);
  assert.match(fault, /npm install heic-decode/);
  assert.match(fault, /heif-convert/);
});

test('heif-convert is given the file, and its PNG is read', async (t) => {
  const tools = await toolsWith(
    t,
    `test "$(wc -c < "$1")" -eq ${heic.length} && cp "$(dirname "$0")/made.png" "$2"`,
  );
  const made = sharp({ create: { width: 5, height: 4, channels: 3, background: '#0a141e' } });
  await made.png().toFile(join(tools.heifConvert, '../made.png'));
  const { data, width, height } = await decodeHeic(heic, tools);
  assert.deepEqual([width, height, ...data.subarray(0, 3)], [5, 4, 10, 20, 30]);
});

test('heif-convert that hangs is ended', async (t) => {
  const tools = await toolsWith(t, 'exec sleep 60');
  assert.match(String(await codeOf(decodeHeic(heic, { ...tools, timeoutMs: 200 }))), /^DECODE_TIMEOUT/);
});

test('heif-convert that refuses the file leaves no folder behind, and the fault is the file’s', async (t) => {
  const tools = await toolsWith(t, 'pwd > "$(dirname "$0")/where"; exit 1');
  await assert.rejects(decodeHeic(heic, tools), (error) => !(error instanceof ClipfleetError));
  const where = (await readFile(join(tools.heifConvert, '../where'), 'utf8')).trim();
  await assert.rejects(readFile(where), { code: 'ENOENT' });
});
