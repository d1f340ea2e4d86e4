import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../../src/worker/decode/decode.ts';
import { pixelsOf } from '../../../src/worker/decoders/decoders.ts';
import { decodersOf, openStage, outcomeOf, preprocessing } from '../../support/decoderStage.ts';
import { pictures } from '../../support/fleet.ts';
import { temporaryFolder, until } from '../../support/support.ts';

const onlyLinux = process.platform === 'linux' ? false : 'processes are found in /proc';
const owl = join(pictures, 'owl.jpg');
const crashing = new URL('./crashing-decoder.js', import.meta.url);

test('pixels, digests and errors are those of decoding here, from a path and from bytes', async (t) => {
  const stage = openStage(t);
  const names = await readdir(pictures);
  await Promise.all(
    names.map(async (name) => {
      const path = join(pictures, name);
      const bytes = await readFile(path);
      const here = await decodeImage(bytes, preprocessing, { pixelsMax: 1e8, timeoutMs: 10_000 });
      for (const source of [
        { file: { uri: path } },
        { bytes },
        { file: { uri: path, range: { offset: 0, length: bytes.length } } },
      ]) {
        const verdict = await stage.decode(source, { digest: true });
        assert.deepEqual(Buffer.from(pixelsOf(verdict).data), Buffer.from(here.data), name);
        const digest = createHash('sha256').update(bytes).digest('base64');
        assert.equal(verdict.kind === 'pixels' && verdict.digest, digest);
      }
      assert.ok(bytes.length > 0, 'what was given is still its owner’s');
    }),
  );
  const folder = await temporaryFolder(t);
  await writeFile(join(folder, 'text.jpg'), 'no image');
  await writeFile(join(folder, 'empty.jpg'), '');
  assert.equal(await outcomeOf(stage, join(folder, 'text.jpg')), 'IMAGE_UNSUPPORTED');
  assert.equal(await outcomeOf(stage, join(folder, 'empty.jpg')), 'IMAGE_EMPTY');
  assert.equal(await outcomeOf(stage, join(folder, 'none.jpg')), 'IMAGE_NOT_FOUND');
});

test('the rules of paths hold in the decoders', async (t) => {
  const folder = await temporaryFolder(t);
  await copyFile(owl, join(folder, 'owl.jpg'));
  const files = { roots: new Map([['.', folder]]), trustPaths: false, bytesMax: 1e6 };
  const stage = openStage(t, { files });
  assert.equal(await outcomeOf(stage, 'owl.jpg'), 'pixels');
  assert.equal(await outcomeOf(stage, owl), 'IMAGE_OUTSIDE_ROOTS');
  assert.equal(await outcomeOf(stage, '../owl.jpg'), 'IMAGE_OUTSIDE_ROOTS');
  const small = openStage(t, { files: { ...files, bytesMax: 100 } });
  assert.equal(await outcomeOf(small, 'owl.jpg'), 'IMAGE_TOO_LARGE');
});

test('an image that crashes every decoder fails, and no other does', async (t) => {
  const folder = await temporaryFolder(t);
  const bad = join(folder, 'crash-me.jpg');
  await copyFile(owl, bad);
  const stage = openStage(t, { program: crashing });
  const files = Array.from({ length: 60 }, (_, i) => (i === 20 ? bad : owl));
  const outcomes = await Promise.all(files.map((file) => outcomeOf(stage, file)));
  assert.deepEqual(
    outcomes,
    files.map((file) => (file === bad ? 'IMAGE_CRASHED_DECODER' : 'pixels')),
  );
});

test('decoders killed while they work lose no image', { skip: onlyLinux }, async (t) => {
  const stage = openStage(t);
  const count = 400;
  let done = 0;
  let kills = 0;
  const decoding = Array.from({ length: count }, async () => {
    const outcome = await outcomeOf(stage, owl);
    done++;
    return outcome;
  });
  for (let wanted = 20; wanted <= count - 20; wanted += 20) {
    await until(() => done >= wanted, `${wanted} images are done`);
    const [pid] = decodersOf(process.pid).reverse();
    if (pid !== undefined && process.kill(pid, 'SIGKILL')) kills++;
  }
  assert.deepEqual(new Set(await Promise.all(decoding)), new Set(['pixels']));
  assert.ok(kills >= 15, `${kills} decoders were killed`);
});

test('urgent images overtake, and what no decoder has can be called back', async (t) => {
  const stage = openStage(t, { decoders: 1 });
  const order: string[] = [];
  const caller = new AbortController();
  const bulk = Array.from({ length: 6 }, async (_, i) => {
    const { kind } = await stage.decode({ file: { uri: owl } }, { signal: caller.signal });
    order.push(`${i} ${kind}`);
  });
  const urgent = stage.decode({ file: { uri: owl } }, { urgent: true }).then(() => order.push('urgent'));
  await urgent;
  assert.equal(order[0], 'urgent');
  caller.abort();
  await Promise.all(bulk);
  assert.ok(order.includes('5 calledBack'), order.join());
  const { kind } = await stage.decode({ file: { uri: owl } }, { signal: caller.signal });
  assert.equal(kind, 'calledBack');
});

test('a large image waits for room and does not fail, and a small one overtakes it', async (t) => {
  const folder = await temporaryFolder(t);
  const large = join(folder, 'large.png');
  const raw = { width: 3_000, height: 2_000, channels: 3 as const };
  await sharp({ create: { ...raw, background: 'red' } })
    .png()
    .toFile(large);
  const stage = openStage(t, { limits: { pixelsAtOnce: 1_000_000 } });
  const outcomes = await Promise.all([large, large, owl, large].map((file) => outcomeOf(stage, file)));
  assert.deepEqual(outcomes, ['pixels', 'pixels', 'pixels', 'pixels']);
});

test('whoever is closed is gone with its decoders, and what it was asked is refused', {
  skip: onlyLinux,
}, async (t) => {
  const stage = openStage(t);
  assert.equal(await outcomeOf(stage, owl), 'pixels');
  assert.ok(decodersOf(process.pid).length > 0);
  const asked = stage.decode({ file: { uri: owl } });
  const refused = assert.rejects(asked, { code: 'SESSION_LOST' });
  await stage.close();
  await refused;
  assert.deepEqual(decodersOf(process.pid), []);
  await assert.rejects(stage.decode({ file: { uri: owl } }), { code: 'SESSION_LOST' });
  await stage.close();
  // A worker ends with an error when a stage has died, and in order when it has closed its own.
  const isAlive = Symbol('alive');
  assert.equal(await Promise.race([stage.died, Promise.resolve(isAlive)]), isAlive);
});
