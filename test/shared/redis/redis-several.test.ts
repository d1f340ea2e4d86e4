// Addresses of several servers, TLS, and a user with the least rights.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { connectRedis } from '../../../src/shared/redis/redis.ts';
import { displayAddress, targetOf } from '../../../src/shared/redis/redisAddress.ts';
import { pipelineOn, repliesOf } from '../../../src/shared/redis/redisPipeline.ts';
import { copyPictures, demoModel, repository, startFleet } from '../../support/fleet.ts';
import { freePort, startRedisServer } from '../../support/redisServer.ts';
import { startCluster } from '../../support/redisSeveral.ts';
import { temporaryFolder } from '../../support/support.ts';

const run = promisify(execFile);

test('an address names sentinels with their primary, or nodes of a cluster', () => {
  const login = { username: undefined, password: undefined, tls: false };
  assert.deepEqual(targetOf({ url: 'redis+sentinel://a,b:1/fleet/2' }), {
    ...{ kind: 'sentinel', name: 'fleet', db: 2, ...login },
    sentinels: [
      { host: 'a', port: 26379 },
      { host: 'b', port: 1 },
    ],
  });
  assert.deepEqual(targetOf({ url: 'rediss+cluster://me:p%40ss@[::1]:7,b' }), {
    ...{ kind: 'cluster', username: 'me', password: 'p@ss', tls: true },
    nodes: [
      { host: '::1', port: 7 },
      { host: 'b', port: 6379 },
    ],
  });
  for (const url of [
    'redis+sentinel://a:hunter2',
    'redis+cluster://a/hunter2',
    'redis+sentinel://:hunter2@',
    'redis+sentinel://a@b@hunter2/c',
    'redis+cluster://:hunter%2@a',
  ])
    assert.throws(
      () => targetOf({ url }),
      ({ code, message }: { code: string; message: string }) => code === 'USAGE' && !/hunter/.test(message),
      url,
    );
  assert.equal(
    displayAddress({ url: 'redis+sentinel://me:secret@a:1,b:2/fleet' }),
    'redis+sentinel://me:***@a:1,b:2/fleet',
  );
});

test('sentinels that are away, or do not know the name, are said', async () => {
  const url = `redis+sentinel://127.0.0.1:${await freePort()}/fleet`;
  await assert.rejects(connectRedis({ url }, { timeoutMs: 2_000 }), {
    code: 'REDIS_UNAVAILABLE',
    message: /127\.0\.0\.1:\d+\/fleet, got: .*(ECONNREFUSED|unreachable)/,
  });
});

test('a node of a cluster leads to all of it: a run over it has its rows, is listed, audited and removed', async (t) => {
  const { url, nodes } = await startCluster(t);
  const redis = await connectRedis({ url: nodes[1]!.url });
  t.after(() => redis.disconnect());
  assert.equal(redis.isCluster, true);
  const pipeline = pipelineOn(redis);
  for (const key of ['a', 'b', 'c', 'd']) pipeline.set(key, key);
  for (const key of ['a', 'b', 'c', 'd']) pipeline.get(key);
  assert.deepEqual((await repliesOf<string>(pipeline)).slice(4), ['a', 'b', 'c', 'd']);

  const fleet = await startFleet(t);
  fleet.env.REDIS_URL = url;
  await copyPictures(fleet, 'few', 6);
  const labeled = await fleet.run('label', 'few', '--labels', 'fox,owl', '--model', demoModel, '--run', 'r');
  assert.equal(labeled.code, 0, labeled.stderr);
  const rows = await fleet.run('results', 'r', '--format', 'jsonl');
  assert.equal(rows.stdout.trimEnd().split('\n').length, 6);
  assert.match((await fleet.run('runs')).stdout, / r +complete /);
  assert.equal((await fleet.run('audit', 'r')).code, 0);
  assert.equal((await fleet.run('rm', 'r')).code, 0);
  assert.match((await fleet.run('runs')).stderr, /No runs/);
});

test('over TLS, with a certificate that NODE_EXTRA_CA_CERTS vouches for; without it the connection is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await run('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  const port = await freePort();
  await startRedisServer(t, [
    ...['--tls-port', `${port}`, '--tls-cert-file', cert, '--tls-key-file', key],
    ...['--tls-ca-cert-file', cert, '--tls-auth-clients', 'no'],
  ]);
  const fleet = await startFleet(t);
  fleet.env.REDIS_URL = `rediss://127.0.0.1:${port}`;
  const refused = await fleet.run('runs');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /REDIS_UNAVAILABLE.*self-signed certificate/);
  fleet.env.NODE_EXTRA_CA_CERTS = cert;
  await copyPictures(fleet, 'few', 3);
  const { code, stderr } = await fleet.run('label', 'few', '--labels', 'fox,owl', '--model', demoModel);
  assert.equal(code, 0, stderr);
});

test('the rights that the documentation lists are enough for a fleet, and no other keys are touched', async (t) => {
  const page = await readFile(join(repository, 'docs/operations.md'), 'utf8');
  const [, rights] = /^ACL SETUSER clipfleet on (.*)$/m.exec(page) ?? [];
  const server = await startRedisServer(t);
  await server.ask('ACL', 'SETUSER', 'clipfleet', 'on', ...rights!.split(' '));
  const fleet = await startFleet(t);
  fleet.env.REDIS_URL = `redis://clipfleet:PASSWORD@127.0.0.1:${server.port}`;
  await copyPictures(fleet, 'few', 6);
  const how = ['--labels', 'fox,owl', '--model', demoModel];
  const worker = fleet.start('worker', '--model', demoModel);
  for (const args of [
    ['enqueue', 'few', ...how, '--run', 'r'],
    ['status', 'r', '--watch'],
    ['results', 'r', '--format', 'jsonl'],
    ['audit', 'r'],
    ['runs'],
    ['workers'],
    ['doctor', '--model', demoModel],
    ['label', 'few', ...how, '--run', 'own'],
    ['rm', 'r'],
  ]) {
    const { code, stderr } = await fleet.run(...args);
    assert.equal(code, 0, `${args.join(' ')}: ${stderr}`);
    assert.doesNotMatch(stderr, /NOPERM|FORBIDDEN/);
  }
  worker.child.kill('SIGTERM');
  const ended = await worker.ended;
  assert.equal(ended.code, 0);
  assert.doesNotMatch(ended.stderr, /NOPERM/);
  const log = (await server.ask('ACL', 'LOG')) as unknown[];
  assert.deepEqual(log, [], 'nothing was refused');
});
