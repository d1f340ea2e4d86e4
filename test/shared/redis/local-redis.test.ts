// One Redis server for all commands in a folder, from the first to the last.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { askRedis, holdLease, infoOf, parentOf, serverPid, untilGone } from '../../support/holder.ts';
import { temporaryFolder, until } from '../../support/support.ts';

test('two commands share a server, which stops with the last of them and leaves nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  const server = await serverPid(first.socket);
  const keeper = parentOf(server);
  const second = await holdLease(t, folder);
  assert.equal(second.socket, first.socket);

  await first.say('release');
  assert.equal(await serverPid(second.socket), server);

  await second.say('release');
  await assert.rejects(askRedis(second.socket, 'PING'), 'the release waits for the end of the server');
  await untilGone(server);
  await untilGone(keeper);
  assert.equal(existsSync(dirname(second.socket)), false);
});

test('what was written is there at the next start', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  await askRedis(first.socket, 'SET', 'owl', 'hoots');
  await first.say('release');

  const second = await holdLease(t, folder);
  assert.equal(await askRedis(second.socket, 'GET', 'owl'), 'hoots');
  await second.say('release');
});

test('the server writes a log ahead, never evicts, and listens on no port', async (t) => {
  const holder = await holdLease(t, await temporaryFolder(t));
  const setting = async (name: string) =>
    (await askRedis(holder.socket, 'CONFIG', 'GET', name)).split(',')[1];
  assert.equal(await setting('appendonly'), 'yes');
  assert.equal(await setting('appendfsync'), 'everysec');
  assert.equal(await setting('maxmemory-policy'), 'noeviction');
  assert.equal(await setting('port'), '0');
  await holder.say('release');
});

test('six commands that start at once have one server', async (t) => {
  const folder = await temporaryFolder(t);
  const holders = await Promise.all(Array.from({ length: 6 }, () => holdLease(t, folder)));
  const servers = await Promise.all(holders.map((holder) => serverPid(holder.socket)));
  assert.equal(new Set(servers).size, 1);

  await Promise.all(holders.map((holder) => holder.say('release')));
  await untilGone(servers[0] ?? 0);
});

test('a command that comes while the server is stopping gets a new one with the same data', async (t) => {
  const folder = await temporaryFolder(t);
  const first = await holdLease(t, folder);
  await askRedis(first.socket, 'SET', 'owl', 'hoots');
  const stopping = await serverPid(first.socket);
  process.kill(stopping, 'SIGSTOP');
  await first.kill();
  await until(() => !existsSync(join(dirname(first.socket), 'lease')), 'the keeper has closed the lease');

  const coming = holdLease(t, folder);
  process.kill(stopping, 'SIGCONT');
  const second = await coming;
  assert.notEqual(await serverPid(second.socket), stopping);
  assert.equal(await askRedis(second.socket, 'GET', 'owl'), 'hoots');
  await second.say('release');
});

test('Ctrl-C in the terminal of the command that started it does not reach the server', async (t) => {
  const holder = await holdLease(t, await temporaryFolder(t));
  const server = await serverPid(holder.socket);
  const uptime = await infoOf(holder.socket, 'uptime_in_seconds');
  await holder.interruptGroup();
  await until(
    async () => (await infoOf(holder.socket, 'uptime_in_seconds')) > uptime,
    'the server has lived another second',
  );
  assert.equal(await serverPid(holder.socket), server);
  await holder.say('release');
});

test('a folder deeper than a socket path may be long, with a space and a quote in it', async (t) => {
  const deep = join(await temporaryFolder(t), "owl's nest".repeat(10), 'x'.repeat(100));
  await mkdir(deep, { recursive: true });
  const holder = await holdLease(t, deep);
  assert.ok(Buffer.byteLength(holder.socket) < 104, holder.socket);
  assert.equal(await askRedis(holder.socket, 'PING'), 'PONG');
  assert.ok(existsSync(join(deep, 'redis', 'redis.log')));
  await holder.say('release');
});
