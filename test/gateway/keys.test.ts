// Who is let in, and for what.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLoopback } from '../../src/gateway/access/access.ts';
import { createApiKey, parseApiKeys } from '../../src/gateway/keys/apiKeys.ts';
import { startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';

test('a key file holds digests, and a key is found by its own', () => {
  const [shop, board] = [createApiKey('shop', ['read', 'enqueue']), createApiKey('board', ['read'])];
  const text = `# of the shop\n\n${shop.line}\n${board.line}\n`;
  assert.ok(!text.includes(shop.key));
  const keys = parseApiKeys(text);
  assert.deepEqual(keys.holderOf(shop.key), { name: 'shop', scopes: ['read', 'enqueue'] });
  assert.equal(keys.holderOf(board.key)?.name, 'board');
  assert.equal(keys.holderOf(`${board.key}x`), undefined);
  assert.equal(keys.holderOf(''), undefined);
  for (const line of ['shop', 'shop read 12', `shop write ${'0'.repeat(64)}`, `${shop.line}\nx y z`])
    assert.throws(() => parseApiKeys(line), { code: 'USAGE', message: /in line [12] of the key file/ });
  assert.throws(() => createApiKey('a b', ['read']), { code: 'USAGE' });
});

test('loopback is what only this machine reaches', () => {
  for (const host of ['127.0.0.1', '127.8.8.8', '::1', '[::1]', 'localhost', '::ffff:127.0.0.1'])
    assert.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', 'example.org', 'localhost.example.org', ''])
    assert.ok(!isLoopback(host), host);
});

test('keys are made, asked for, and kept to their scopes', async (t) => {
  const fleet = await startFleet(t);
  const file = join(fleet.folder, 'keys.txt');
  const keyWith = async (name: string, scopes: string) => {
    const made = await fleet.run('key', name, '--scopes', scopes, '--api-keys', file);
    assert.equal(made.code, 0, made.stderr);
    return made.stdout.trim();
  };
  const reader = await keyWith('reader', 'read');
  const admin = await keyWith('boss', 'admin');
  assert.equal((await readFile(file, 'utf8')).split('\n').length, 3);

  const { ask } = await startGateway(fleet, '--api-keys', file);
  const as = (key: string) => ({ authorization: `Bearer ${key}` });
  assert.equal((await ask('GET', '/health')).status, 200);
  assert.equal((await ask('GET', '/ready')).status, 200);
  const without = await ask('GET', '/v1/runs');
  assert.deepEqual([without.status, without.json.code], [401, 'KEY_INVALID']);
  assert.equal(without.headers.get('www-authenticate'), 'Bearer');
  assert.equal((await ask('GET', '/v1/runs', undefined, as(`${reader}x`))).status, 401);
  assert.equal((await ask('GET', '/v1/runs', undefined, as(reader))).status, 200);
  const labelSet = { labels: ['fox', 'owl'] };
  const refused = await ask('POST', '/v1/label-sets', labelSet, as(reader));
  assert.deepEqual([refused.status, refused.json.code], [403, 'KEY_FORBIDDEN']);
  assert.equal((await ask('POST', '/v1/label-sets', labelSet, as(admin))).status, 200);

  // Who adds images may hold them up, and may not end a run.
  const run = { run: 'r', model: 'demo@abc:fp32', labelSet };
  const writer = await keyWith('writer', 'read,enqueue');
  const { ask: askNow } = await startGateway(fleet, '--api-keys', file);
  const act = async (action: string, key: string) => {
    const several = await askNow('POST', '/v1/actions', { action, runs: ['r'] }, as(key));
    const one = await askNow('POST', `/v1/runs/r/${action}`, undefined, as(key));
    return [several.status, one.status];
  };
  assert.equal((await askNow('POST', '/v1/runs', run, as(writer))).status, 201);
  assert.deepEqual(await act('pause', writer), [200, 200]);
  assert.deepEqual(await act('resume', writer), [200, 200]);
  assert.deepEqual(await act('cancel', writer), [403, 403]);
  assert.equal((await askNow('DELETE', '/v1/runs/r', undefined, as(writer))).status, 403);
  assert.equal((await askNow('GET', '/v1/runs/r', undefined, as(reader))).json.state, 'open');
  assert.deepEqual(await act('cancel', admin), [200, 200]);
});

test('without keys only this machine is served, and no other site’s page', async (t) => {
  const fleet = await startFleet(t);
  const others = await fleet.run('serve', '--host', '0.0.0.0');
  assert.equal(others.code, 1);
  assert.match(others.stderr, /USAGE: Expected --api-keys, because 0\.0\.0\.0 is reached by others/);
  const { ask, url } = await startGateway(fleet);
  assert.equal((await ask('GET', '/v1/runs', undefined, { origin: url })).status, 200);
  for (const headers of [{ origin: 'https://example.org' }, { origin: 'null' }])
    assert.equal((await ask('GET', '/v1/runs', undefined, headers)).json.code, 'KEY_FORBIDDEN');
});

test('without keys a trusted host is served as well, and no other name', async (t) => {
  const fleet = await startFleet(t);
  const { url } = await startGateway(fleet, '--host', '0.0.0.0', '--trusted-host', 'gateway');
  const { port } = new URL(url);
  const statusAs = (host: string, origin?: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const headers = { host, ...(origin !== undefined && { origin }) };
      get({ host: '127.0.0.1', port, path: '/v1/runs', headers }, ({ statusCode }) => resolve(statusCode)).on(
        'error',
        reject,
      );
    });
  assert.equal(await statusAs(`gateway:${port}`), 200);
  assert.equal(await statusAs(`localhost:${port}`), 200);
  assert.equal(await statusAs(`other:${port}`), 403);
  assert.equal(await statusAs(`gateway:${port}`, 'https://example.org'), 403);
});

test('pages of other sites ask where they are named, and keys stay needed', async (t) => {
  const fleet = await startFleet(t);
  const site = 'https://shop.example.org';
  const wrong = await fleet.run('serve', '--cors-origin', `${site}/`);
  assert.match(wrong.stderr, /USAGE: --cors-origin: Expected an origin such as https:/);
  const { ask, url } = await startGateway(
    fleet,
    '--cors-origin',
    site,
    '--cors-origin',
    'http://localhost:3000',
  );
  const preflight = (origin: string) =>
    fetch(`${url}/v1/runs`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    });
  const welcome = await preflight(site);
  assert.deepEqual([welcome.status, welcome.headers.get('access-control-allow-origin')], [204, site]);
  assert.match(welcome.headers.get('access-control-allow-headers') ?? '', /authorization.*idempotency-key/);
  const read = await ask('GET', '/v1/runs', undefined, { origin: 'http://localhost:3000' });
  assert.deepEqual(
    [read.status, read.headers.get('access-control-allow-origin')],
    [200, 'http://localhost:3000'],
  );
  assert.equal(read.headers.get('vary'), 'Origin');
  for (const origin of ['https://example.org', `${site}.example.com`, 'null']) {
    const refused = await preflight(origin);
    assert.deepEqual([refused.status, refused.headers.get('access-control-allow-origin')], [403, null]);
  }

  const file = join(fleet.folder, 'keys.txt');
  await fleet.run('key', 'shop', '--api-keys', file);
  const keyed = await startGateway(fleet, '--cors-origin', site, '--api-keys', file);
  const without = await keyed.ask('GET', '/v1/runs', undefined, { origin: site });
  assert.deepEqual([without.status, without.headers.get('access-control-allow-origin')], [401, site]);
  const quiet = await startGateway(fleet, '--api-keys', file);
  const off = await quiet.ask('GET', '/v1/runs', undefined, { origin: site });
  assert.equal(off.headers.get('access-control-allow-origin'), null);
});

test('a method that a path does not take is answered with those that it does', async (t) => {
  const { ask } = await startGateway(await startFleet(t));
  const asked = async (method: string, path: string) => {
    const { status, json, headers } = await ask(method, path);
    return [status, json?.code, headers.get('allow')];
  };
  assert.deepEqual(await asked('PUT', '/v1/runs'), [405, 'METHOD_UNKNOWN', 'GET, HEAD, POST']);
  assert.deepEqual(await asked('PATCH', '/v1/runs/a%2Fb?x=1'), [405, 'METHOD_UNKNOWN', 'DELETE, GET, HEAD']);
  assert.deepEqual(await asked('GET', '/v1/classify'), [405, 'METHOD_UNKNOWN', 'POST']);
  assert.deepEqual(await asked('OPTIONS', '/health'), [405, 'METHOD_UNKNOWN', 'GET, HEAD']);
  assert.deepEqual(await asked('POST', '/v1/runs/a/b/c'), [404, 'ROUTE_UNKNOWN', null]);
  assert.deepEqual(await asked('POST', '/main.js'), [404, 'ROUTE_UNKNOWN', null]);
});

test('requests above the limit wait', async (t) => {
  const { ask } = await startGateway(await startFleet(t), '--requests-per-minute', '3');
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) statuses.push((await ask('GET', '/v1/runs')).status);
  assert.deepEqual(statuses, [200, 200, 200, 429, 429]);
  const limited = await ask('GET', '/v1/runs');
  assert.equal(limited.json.code, 'RATE_LIMITED');
  assert.ok(Number(limited.headers.get('retry-after')) > 0);
  assert.equal((await ask('GET', '/health')).status, 200);
});
