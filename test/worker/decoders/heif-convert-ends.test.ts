// heif-convert is part of its decoder: the same limits, the same codes, the same end. The program is the test's own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { ImageLimits } from '../../../src/worker/decoders/decoders.ts';
import { decodersOf, isAlive, openStage, outcomeOf } from '../../support/decoderStage.ts';
import { pictures, repository } from '../../support/fleet.ts';
import { temporaryFolder, until } from '../../support/support.ts';

const onlyLinux = process.platform === 'linux' ? false : 'processes are looked at in /proc';
const heic = join(repository, 'test/golden/decodes/plain.heic');
const owl = join(pictures, 'owl.jpg');
const program = new URL('./decoder-without-heic.js', import.meta.url);
const MEBIBYTE = 2 ** 20;

/** What a shell does that says its process id first: the body of a stand-in for the program. */
const bodies = {
  sleeps: 'exec sleep 600',
  spins: 'while :; do :; done',
  eats: `exec "${process.execPath}" -e '
    const all = [];
    while (all.length < 200) all.push(Buffer.alloc(5e6, 1));
    setTimeout(() => {}, 600_000)'`,
  crashes: 'kill -SEGV $$',
};

/** Puts a program named heif-convert first on the PATH, and files of programs into a folder of the test. */
async function heifConvertThat(t: TestContext, body: string) {
  const folder = await temporaryFolder(t);
  const scratch = join(folder, 'tmp');
  await mkdir(scratch);
  const path = join(folder, 'heif-convert');
  await writeFile(path, `#!/bin/sh\necho $$ > "${folder}/pid"\n${body}\n`);
  await chmod(path, 0o755);
  const { PATH, TMPDIR } = process.env;
  Object.assign(process.env, { PATH: `${folder}${delimiter}${PATH}`, TMPDIR: scratch });
  t.after(() => {
    Object.assign(process.env, { PATH });
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
  return {
    folder,
    leftFiles: () => readdir(scratch),
    pid: async () => Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => '')) || undefined,
  };
}

/** What becomes of a HEIC, and whether nothing of the program is left. */
async function messageOf(t: TestContext, body: string, limits: ImageLimits): Promise<string> {
  const { pid, leftFiles } = await heifConvertThat(t, body);
  const stage = openStage(t, { program, limits });
  const [verdict, other] = await Promise.all([stage.decode({ file: { uri: heic } }), outcomeOf(stage, owl)]);
  assert.equal(other, 'pixels', 'no other image is harmed');
  assert.ok(verdict.kind === 'failed');
  const last = await pid();
  await until(() => !isAlive(last!), 'the program is gone');
  await until(async () => (await leftFiles()).length === 0, 'its files are gone');
  return `${verdict.error.code}: ${verdict.error.message}`;
}

const ends = { skip: onlyLinux };

test('heif-convert that computes for ever is over the CPU time of its image', ends, async (t) => {
  const message = await messageOf(t, bodies.spins, { decodeTimeoutMs: 700, fetchTimeoutMs: 15_000 });
  assert.match(message, /^DECODE_TIMEOUT: .*700 ms of CPU time/);
});

test('heif-convert that hangs is ended by the clock of its decoder', ends, async (t) => {
  const message = await messageOf(t, bodies.sleeps, { decodeTimeoutMs: 500, fetchTimeoutMs: 1_000 });
  assert.match(message, /^DECODE_TIMEOUT: .*4 × 500 ms/);
});

test('the memory of heif-convert is that of its decoder', ends, async (t) => {
  const message = await messageOf(t, bodies.eats, { decodeMemoryMax: 400 * MEBIBYTE });
  assert.match(message, /^IMAGE_TOO_MUCH_MEMORY: /);
});

test('an image that heif-convert dies of twice crashed its decoder', ends, async (t) => {
  assert.match(await messageOf(t, bodies.crashes, {}), /^IMAGE_CRASHED_DECODER: .*SIGSEGV/);
});

test('heif-convert that refuses a file leaves the decoder to the next', ends, async (t) => {
  assert.match(await messageOf(t, 'exit 1', {}), /^IMAGE_CORRUPT: Expected a whole HEIC/);
});

test('what heif-convert writes is read', ends, async (t) => {
  const { folder } = await heifConvertThat(t, `cp "$(dirname "$0")/made.png" "$2"`);
  await sharp({ create: { width: 5, height: 4, channels: 3, background: 'teal' } })
    .png()
    .toFile(join(folder, 'made.png'));
  assert.equal(await outcomeOf(openStage(t, { program }), heic), 'pixels');
});

test('heif-convert ends with its decoder, however that ends', ends, async (t) => {
  const { pid, leftFiles } = await heifConvertThat(t, bodies.sleeps);
  const stage = openStage(t, { program });
  const decoding = outcomeOf(stage, heic);
  let killed: number | undefined;
  await until(async () => (await pid()) !== undefined, 'it runs');
  killed = await pid();
  for (const decoder of decodersOf(process.pid)) process.kill(decoder, 'SIGKILL');
  await until(() => !isAlive(killed!), 'the first is gone');
  await until(async () => ![killed, undefined].includes(await pid()), 'the image is tried again');
  const second = await pid();
  const closed = assert.rejects(decoding, { code: 'SESSION_LOST' });
  await stage.close();
  await closed;
  await until(() => !isAlive(second!), 'the second is gone');
  await until(async () => (await leftFiles()).length === 0, 'and their files');
});

test('heif-convert ends with the process of the stage', ends, async (t) => {
  const { pid, leftFiles } = await heifConvertThat(t, bodies.sleeps);
  const stageProcess = fileURLToPath(new URL('./stage-process.js', import.meta.url));
  const env = { ...process.env, DECODER_PROGRAM: program.href };
  const parent = spawn(process.execPath, [stageProcess, owl, heic], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  t.after(() => parent.kill('SIGKILL'));
  await once(parent.stdout, 'data');
  await until(async () => (await pid()) !== undefined, 'it runs');
  const running = await pid();
  parent.kill('SIGKILL');
  await until(() => !isAlive(running!), 'it is gone');
  await until(async () => (await leftFiles()).length === 0, 'and its files');
});
