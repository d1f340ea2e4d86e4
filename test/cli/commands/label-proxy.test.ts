import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, jsonLines, pictures, startFleet } from '../../support/fleet.ts';
import { startProxy } from '../../support/forwardProxy.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { serveS3 } from '../../support/s3Server.ts';
import { certificate, serveTls } from '../../support/tlsServer.ts';

test('images, lists, archives and buckets come through the proxy, HTTPS too, with a certificate of one’s own', async (t) => {
  const fleet = await startFleet(t);
  const proxy = await startProxy(t);
  const owl = await readFile(join(pictures, 'owl.jpg'));
  const shard = execFileSync('tar', ['--format=ustar', '-C', pictures, '-cf', '-', 'fox.jpg']);
  const files: Record<string, Buffer> = {
    '/list.csv': Buffer.from('url\nhttp://plain.invalid/owl.jpg\nhttps://pictures.invalid/owl.jpg\n'),
    '/shard.tar': shard,
    '/owl.jpg': owl,
  };
  proxy.places['plain.invalid'] = await serveHttp(t, (request, response) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    const file = files[request.url!]!;
    if (from === undefined) return void response.end(file);
    const last = Math.min(Number(to), file.length - 1);
    const range = { 'content-range': `bytes ${from}-${last}/${file.length}` };
    response.writeHead(206, range).end(file.subarray(Number(from), last + 1));
  });
  proxy.places['pictures.invalid:443'] =
    `http://127.0.0.1:${await serveTls(t, (_, response) => response.end(owl))}`;
  const s3 = await serveS3(t);
  s3.buckets.public = { 'a/car.jpg': await readFile(join(pictures, 'car.jpg')) };
  proxy.places['s3.invalid'] = s3.endpoint;
  const authorities = join(fleet.folder, 'ca.pem');
  await writeFile(authorities, certificate);
  const variables = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NODE_EXTRA_CA_CERTS: authorities };
  Object.assign(fleet.env, variables, { AWS_ENDPOINT_URL_S3: 'http://s3.invalid' });

  const sources = ['http://plain.invalid/list.csv', 'http://plain.invalid/shard.tar', 's3://public/a/'];
  const how = ['--labels', 'owl,fox,car', '--model', demoModel, '--attempts', '1', '--output', 'rows.jsonl'];
  const { code, stderr } = await fleet.run('label', ...sources, ...how);
  assert.equal(code, 0, stderr);
  const rows = jsonLines<{ id: string; predictions: { label: string }[] }>(
    await readFile(join(fleet.folder, 'rows.jsonl'), 'utf8'),
  );
  assert.deepEqual(
    rows.map(({ id, predictions }) => [id, predictions[0]!.label]),
    [
      ['http://plain.invalid/owl.jpg', 'owl'],
      ['https://pictures.invalid/owl.jpg', 'owl'],
      ['shard/fox.jpg', 'fox'],
      ['s3://public/a/car.jpg', 'car'],
    ],
  );
  assert.ok(proxy.requests.includes('CONNECT pictures.invalid:443'));
});
