import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, pictures, startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';

test('only images whose error may pass are tried again; the last attempt writes their failed row', async (t) => {
  const fleet = await startFleet(t);
  const owl = await readFile(join(pictures, 'owl.jpg'));
  const requests: Record<string, number> = {};
  const url = await serveHttp(t, ({ url = '' }, response) => {
    requests[url] = (requests[url] ?? 0) + 1;
    if (url === '/recovers.jpg' && requests[url] === 1) response.writeHead(503).end();
    else if (url === '/never.jpg') response.writeHead(500).end();
    else if (url === '/gone.jpg') response.writeHead(404).end();
    else response.end(owl);
  });
  const names = ['good', 'recovers', 'never', 'gone'];
  const urls = names.map((name) => `${url}/${name}.jpg`);
  const limits = ['--attempts', '2', '--allow-private-addresses', '--run', 'r'];
  const { code, stderr } = await fleet.run(
    'label',
    ...urls,
    '--labels',
    'fox,owl',
    '--model',
    demoModel,
    ...limits,
  );
  assert.equal(code, 2, stderr);
  assert.deepEqual(requests, { '/good.jpg': 1, '/recovers.jpg': 2, '/never.jpg': 2, '/gone.jpg': 1 });
  const rows = await fleet.rows('r');
  const outcomes = rows.map((row) => [
    row.uri.slice(url.length),
    row.status === 'failed' ? row.error.code : 'classified',
  ]);
  assert.deepEqual(outcomes.sort(), [
    ['/gone.jpg', 'IMAGE_NOT_FOUND'],
    ['/good.jpg', 'classified'],
    ['/never.jpg', 'FETCH_FAILED'],
    ['/recovers.jpg', 'classified'],
  ]);
});
