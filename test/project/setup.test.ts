// The set-up step, with package managers of our own on PATH: they write down how they were called.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../src/shared/redis/redisBinary.ts';
import { temporaryFolder } from '../support/support.ts';

const setup = fileURLToPath(new URL('../../scripts/setup.js', import.meta.url));
const isRoot = process.getuid?.() === 0;
const nobody = 65534;

/** A PATH of one folder with these scripts, by name; `$here` is the folder. */
async function pathWith(folder: string, scripts: Record<string, string>): Promise<void> {
  for (const name of ['chmod', 'env', 'id']) await symlink(findProgram([name]) ?? '', join(folder, name));
  for (const [name, lines] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\nhere='${folder}'\n${lines}\n`);
    await chmod(join(folder, name), 0o755);
  }
}

function runSetup(folder: string, env: Record<string, string> = {}, user: { uid?: number } = {}) {
  const { status, stderr, stdout } = spawnSync(process.execPath, [setup], {
    env: { PATH: folder, ...env },
    encoding: 'utf8',
    ...user,
  });
  assert.equal(stdout, '');
  return { status, said: stderr };
}

/** Notes the call where the test reads it, and in the output, where the order shows. */
const note = 'echo "$(id -u): $DEBIAN_FRONTEND apt-get $*" >>"$here/calls"; echo "ran $*"';
const redisArrives =
  'case $* in *redis-server*) echo >"$here/redis-server"; chmod +x "$here/redis-server";; esac';

test('a server is there: nothing is said or done', async (t) => {
  const folder = await temporaryFolder(t);
  await pathWith(folder, { 'valkey-server': '', 'apt-get': note });
  assert.deepEqual(runSetup(folder), { status: 0, said: '' });
});

test('REDIS_URL is set: nothing is said or done', async (t) => {
  const folder = await temporaryFolder(t);
  await pathWith(folder, { 'apt-get': note });
  assert.deepEqual(runSetup(folder, { REDIS_URL: 'redis://elsewhere' }), { status: 0, said: '' });
});

test('on Debian: lists first, then the package, no questions, and each command is printed before it runs', async (t) => {
  const folder = await temporaryFolder(t);
  await pathWith(folder, { 'apt-get': `${note}; ${redisArrives}`, sudo: 'exec "$@"' });
  const { status, said } = runSetup(folder);
  assert.equal(status, 0);
  const uid = process.getuid?.();
  assert.equal(
    await readFile(join(folder, 'calls'), 'utf8'),
    `${uid}: noninteractive apt-get update\n` +
      `${uid}: noninteractive apt-get install -y --no-install-recommends redis-server\n`,
  );
  const lines = said.split('\n').filter((line) => /^(> |ran )/.test(line));
  const command = `> ${isRoot ? '' : 'sudo '}env DEBIAN_FRONTEND=noninteractive apt-get`;
  assert.deepEqual(lines, [
    `${command} update`,
    'ran update',
    `${command} install -y --no-install-recommends redis-server`,
    'ran install -y --no-install-recommends redis-server',
  ]);
  assert.match(said, /port 6379: Clipfleet does not use it/);
});

test('without root and without sudo: what to install, and nothing is run', async (t) => {
  const user = isRoot ? { uid: nobody } : {};
  if (spawnSync(process.execPath, ['--check', setup], user).status !== 0) {
    return t.skip('another user may not read this clone');
  }
  const folder = await temporaryFolder(t);
  await chmod(folder, 0o755);
  await pathWith(folder, { 'apt-get': note });
  const { status, said } = runSetup(folder, {}, user);
  assert.equal(status, 1);
  assert.match(said, /could not be installed here: .*apt-get install redis-server.*REDIS_URL/);
  assert.doesNotMatch(said, /^> /m);
});

test('an installation that brings no server, or no package manager at all: what to install', async (t) => {
  const failing = await temporaryFolder(t);
  await pathWith(failing, { 'apt-get': `${note}; exit 100`, sudo: 'exec "$@"' });
  const bare = await temporaryFolder(t);
  for (const folder of [failing, bare]) {
    const { status, said } = runSetup(folder);
    assert.equal(status, 1);
    assert.match(said, /could not be installed here: .*apt-get install redis-server.*brew install redis/);
  }
});
