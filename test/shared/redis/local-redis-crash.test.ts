// Whatever is killed, nothing blocks the next start, and what was written is there.
import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProgram, findRedisServer } from '../../../src/shared/redis/redisBinary.ts';
import { askRedis, type Holder, holdLease, parentOf, serverPid, untilGone } from '../../support/holder.ts';
import { temporaryFolder } from '../../support/support.ts';

async function assertHoots(holder: Holder): Promise<void> {
  assert.equal(await askRedis(holder.socket, 'GET', 'owl'), 'hoots');
}

test('the last command is killed: the server stops, and the next start has the data', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  const server = await serverPid(first.socket);
  await askRedis(first.socket, 'SET', 'owl', 'hoots');
  await first.kill();
  await untilGone(server);

  const second = await holdLease(t, folder);
  await assertHoots(second);
  await second.say('release');
});

test('one of two commands is killed: the other keeps its server', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  const second = await holdLease(t, folder);
  const server = await serverPid(first.socket);
  await first.kill();
  await second.say('ensure');
  assert.equal(await serverPid(second.socket), server);
  await second.say('release');
  await untilGone(server);
});

test('the server is killed: who held a share gets a new one, together with who comes later', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  const second = await holdLease(t, folder);
  await askRedis(first.socket, 'SET', 'owl', 'hoots');
  const killed = await serverPid(first.socket);
  process.kill(killed, 'SIGKILL');
  await untilGone(killed);

  await Promise.all([first.say('ensure'), second.say('ensure')]);
  const server = await serverPid(first.socket);
  await assertHoots(first);
  const third = await holdLease(t, folder);
  assert.equal(await serverPid(third.socket), server);

  for (const holder of [first, second, third]) await holder.say('release');
  await untilGone(server);
});

test('the keeper is killed: the next command has a server with the data, and it stops at the end', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  await askRedis(first.socket, 'SET', 'owl', 'hoots');
  const orphan = await serverPid(first.socket);
  process.kill(parentOf(orphan), 'SIGKILL');

  const second = await holdLease(t, folder);
  await untilGone(orphan);
  await assertHoots(second);
  await first.say('ensure');
  const server = await serverPid(first.socket);
  await second.say('release');
  assert.equal(await serverPid(first.socket), server);
  await first.say('release');
  await untilGone(server);
});

test('the same where the system has neither flock nor setpriv', async (t) => {
  const programs = await temporaryFolder(t);
  for (const name of ['ls', 'mkdir', 'mkfifo', 'mv', 'perl', 'rm', 'rmdir']) {
    const program = findProgram([name]);
    if (!program) return t.skip(`needs ${name}`);
    await symlink(program, join(programs, name));
  }
  await symlink(findRedisServer() ?? '', join(programs, 'redis-server'));
  const env = { ...process.env, PATH: programs };

  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder, env);
  await askRedis(first.socket, 'SET', 'owl', 'hoots');
  const orphan = await serverPid(first.socket);
  process.kill(parentOf(orphan), 'SIGKILL');
  assert.equal(await serverPid(first.socket), orphan);

  const second = await holdLease(t, folder, env);
  await untilGone(orphan);
  await assertHoots(second);
  const server = await serverPid(second.socket);
  const keeper = parentOf(server);
  await second.say('release');
  await untilGone(server);
  await untilGone(keeper);
});
