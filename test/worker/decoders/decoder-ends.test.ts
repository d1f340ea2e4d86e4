// What ends a decoder: limits of time and memory, and the end of its parent.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decoderEnvironment } from '../../../src/worker/decoders/decoderProcess.ts';
import { childrenOf, decodersOf, isAlive, openStage, outcomeOf } from '../../support/decoderStage.ts';
import { pictures } from '../../support/fleet.ts';
import { temporaryFolder, until } from '../../support/support.ts';
import { jpegOfScans } from '../formats/jpegOfScans.ts';

const onlyLinux = process.platform === 'linux' ? false : 'processes are looked at in /proc';
const owl = join(pictures, 'owl.jpg');

/** A JPEG that takes its decoder far longer than any other image here, and is valid. */
async function slowFile(t: TestContext): Promise<string> {
  const path = join(await temporaryFolder(t), 'slow.jpg');
  await writeFile(path, jpegOfScans(4_096, 3_000));
  return path;
}

test('an image over its CPU time fails, and holds nobody up', async (t) => {
  const slow = await slowFile(t);
  const stage = openStage(t, { decoders: 1, limits: { decodeTimeoutMs: 2_000, scansMax: 10_000 } });
  const order: string[] = [];
  const outcomes = await Promise.all(
    [slow, ...Array(40).fill(owl)].map(async (file) => {
      const outcome = await outcomeOf(stage, file);
      order.push(outcome);
      return outcome;
    }),
  );
  assert.deepEqual(outcomes, ['DECODE_TIMEOUT', ...Array(40).fill('pixels')]);
  assert.equal(order.at(-1), 'DECODE_TIMEOUT', 'the others did not wait for it, though there is one decoder');
});

test('an image that takes too much memory fails, and no other does', async (t) => {
  const large = join(await temporaryFolder(t), 'large.png');
  const create = { width: 9_000, height: 9_000, channels: 3 as const, background: 'red' };
  await sharp({ create }).png().toFile(large);
  const stage = openStage(t, { limits: { decodeMemoryMax: 250 * 1024 * 1024 } });
  const files = [owl, large, owl, owl];
  const outcomes = await Promise.all(files.map((file) => outcomeOf(stage, file)));
  assert.deepEqual(outcomes, ['pixels', 'IMAGE_TOO_MUCH_MEMORY', 'pixels', 'pixels']);
});

test('a file that is not there in time fails', async (t) => {
  const huge = join(await temporaryFolder(t), 'huge.jpg');
  await writeFile(huge, '');
  await truncate(huge, 1_500_000_000);
  const stage = openStage(t, { limits: { fetchTimeoutMs: 1, decodeMemoryMax: 2 ** 40 } });
  assert.deepEqual([await outcomeOf(stage, huge), await outcomeOf(stage, owl)], ['FETCH_TIMEOUT', 'pixels']);
});

/** A process with a stage, which says when a decoder is idle and then when one is busy. */
function startParent(t: TestContext, ...files: string[]): ChildProcess {
  const program = fileURLToPath(new URL('./stage-process.js', import.meta.url));
  const env = {
    ...process.env,
    REDIS_URL: 'redis://:secret@host',
    HF_TOKEN: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
  };
  const child = spawn(process.execPath, [program, ...files], { stdio: ['ignore', 'pipe', 'inherit'], env });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

test('decoders end with their parent, idle or busy', { skip: onlyLinux }, async (t) => {
  const parent = startParent(t, owl, owl, await slowFile(t));
  await once(parent.stdout!, 'data');
  const decoders = decodersOf(parent.pid!);
  assert.ok(decoders.length > 0);
  parent.kill('SIGKILL');
  await until(() => !decoders.some(isAlive), 'they are gone', 5_000);
});

test('a decoder has no address, key or token, and the kernel takes it before its parent', {
  skip: onlyLinux,
}, async (t) => {
  const parent = startParent(t, owl, await slowFile(t));
  await once(parent.stdout!, 'data');
  const [decoder] = decodersOf(parent.pid!);
  const environment = await readFile(`/proc/${decoder}/environ`, 'utf8');
  assert.match(environment, /PATH=/);
  assert.doesNotMatch(environment, /secret|REDIS|TOKEN|AWS/);
  assert.equal((await readFile(`/proc/${decoder}/oom_score_adj`, 'utf8')).trim(), '500');
  const kept = Object.keys(
    decoderEnvironment({ PATH: 'a', LC_ALL: 'b', NODE_OPTIONS: 'c', CLIPFLEET_MODEL: 'd' }),
  );
  assert.deepEqual(kept, ['PATH', 'LC_ALL', 'UV_THREADPOOL_SIZE']);
});

test('a process that does not close its stage ends all the same, and its decoders', {
  skip: onlyLinux,
}, async (t) => {
  const parent = startParent(t, owl, owl);
  await once(parent.stdout!, 'data');
  const decoders = childrenOf(parent.pid!);
  const [code] = await once(parent, 'close');
  assert.equal(code, 0);
  await until(() => !decoders.some(isAlive), 'they are gone', 5_000);
});
