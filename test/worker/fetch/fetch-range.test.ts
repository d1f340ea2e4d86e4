import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { s3Environment } from '../../../src/worker/fetch/s3Environment.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { type ReadOptions, readImage } from '../../support/readImage.ts';
import { serveS3 } from '../../support/s3Server.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'clipfleet-range-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const archive = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
for (const name of ['here', 'outside']) {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, 'a.tar'), archive);
}
writeFileSync(join(folder, 'here/data:a.tar'), archive);
symlinkSync('../outside/a.tar', join(folder, 'here/escape.tar'));

async function read(uri: string, changes: Partial<ReadOptions> = {}): Promise<Buffer> {
  const options = {
    roots: new Map([
      ['.', join(folder, 'here')],
      ['data', join(folder, 'here')],
    ]),
    trustPaths: false,
    bytesMax: 1000,
    timeoutMs: 10_000,
    redirectsMax: 3,
    allowPrivateAddresses: true,
    userAgent: 'clipfleet-test',
    ...changes,
  };
  return await readImage(uri, options);
}
const refuses = (uri: string, code: string, changes?: Partial<ReadOptions>) =>
  assert.rejects(read(uri, changes), { code }, uri);

/** A member's bytes, and what no archive may give. */
async function checkRanges(at: string): Promise<void> {
  assert.deepEqual(await read(`tar:100+200:${at}`), archive.subarray(100, 300));
  assert.deepEqual(await read(`tar:4000+1000:${at}`), archive.subarray(4000));
  await refuses(`tar:4001+1000:${at}`, 'IMAGE_CORRUPT');
  await refuses(`tar:5000+1:${at}`, 'IMAGE_CORRUPT');
  await refuses(`tar:9000+1:${at}`, 'IMAGE_CORRUPT');
  await refuses(`tar:0+1001:${at}`, 'IMAGE_TOO_LARGE');
  await refuses(`tar:0+0:${at}`, 'IMAGE_EMPTY');
}

test('a member of a file is its bytes, under the rules of files', async () => {
  for (const at of ['a.tar', 'root://data/a.tar', join(folder, 'here/a.tar'), `file://${folder}/here/a.tar`])
    await checkRanges(at);
  assert.equal((await read('tar:0+1:./data:a.tar')).length, 1);
  for (const at of ['escape.tar', '../outside/a.tar', `${folder}/outside/a.tar`, 'root://other/a.tar'])
    await refuses(`tar:0+1:${at}`, 'IMAGE_OUTSIDE_ROOTS');
  await refuses('tar:0+1:none.tar', 'IMAGE_NOT_FOUND');
  assert.equal((await read(`tar:0+1:${folder}/outside/a.tar`, { trustPaths: true })).length, 1);
});

test('what is no member, or lies in what has no ranges, is refused by name', async () => {
  for (const uri of [
    'tar:0+1:data:,x',
    'tar:0+1:tar:0+1:a.tar',
    'tar:0+1:gs://b/a.tar',
    'tar:9007199254740991+1:a.tar',
  ])
    await refuses(uri, 'IMAGE_URI_INVALID');
  await refuses('tar:x+1:a.tar', 'IMAGE_NOT_FOUND');
});

/** Ranges as a good server gives them, or otherwise by the path. */
async function serveRanges(t: TestContext): Promise<{ base: string; asked: (string | undefined)[] }> {
  const asked: (string | undefined)[] = [];
  const wrong: Record<string, RequestListener> = {
    '/whole': (_, response) => void response.end(archive),
    '/other': (_, response) =>
      void response.writeHead(206, { 'content-range': 'bytes 0-9/5000' }).end('0123456789'),
    '/none': (_, response) => void response.writeHead(206).end('0123456789'),
    '/more': (_, response) =>
      void response.writeHead(206, { 'content-range': 'bytes 100-299/5000' }).end(archive.subarray(100, 400)),
    '/less': (_, response) =>
      void response.writeHead(206, { 'content-range': 'bytes 100-299/5000' }).end('short'),
    '/moved': (_, response) => void response.writeHead(302, { location: '/a.tar' }).end(),
    '/gone': (_, response) => void response.writeHead(404).end(),
    '/busy': (_, response) => void response.writeHead(503).end(),
  };
  const base = await serveHttp(t, (request, response) => {
    asked.push(request.headers.range);
    const other = wrong[request.url!];
    if (other) return other(request, response);
    const [from, to] = /(\d+)-(\d+)$/
      .exec(request.headers.range ?? '')!
      .slice(1)
      .map(Number);
    if (from! >= archive.length)
      return void response.writeHead(416, { 'content-range': 'bytes */5000' }).end();
    const end = Math.min(to! + 1, archive.length);
    response
      .writeHead(206, { 'content-range': `bytes ${from}-${end - 1}/5000` })
      .end(archive.subarray(from, end));
  });
  return { base, asked };
}

test('over HTTP only the member is asked for, and a redirect keeps its range', async (t) => {
  const { base, asked } = await serveRanges(t);
  await checkRanges(`${base}/a.tar`);
  assert.equal(asked[0], 'bytes=100-299');
  assert.deepEqual(await read(`tar:100+200:${base}/moved`), archive.subarray(100, 300));
});

test('a server that sends something else is not taken at its word', async (t) => {
  const { base } = await serveRanges(t);
  for (const path of ['/whole', '/other', '/none'])
    await assert.rejects(read(`tar:100+200:${base}${path}`), {
      code: 'IMAGE_HTTP_STATUS',
      message: /does not read ranges/,
    });
  await refuses(`tar:100+200:${base}/more`, 'IMAGE_TOO_LARGE');
  await refuses(`tar:100+200:${base}/less`, 'IMAGE_CORRUPT');
  await refuses(`tar:100+200:${base}/gone`, 'IMAGE_NOT_FOUND');
  await refuses(`tar:100+200:${base}/busy`, 'FETCH_FAILED');
  await refuses(`tar:100+200:${base}/a.tar`, 'IMAGE_ADDRESS_BLOCKED', { allowPrivateAddresses: false });
});

test('of an object of a bucket only the member is asked for', async (t) => {
  const server = await serveS3(t);
  server.buckets = { data: { 'shards/a.tar': archive } };
  const s3 = s3Environment(server.env);
  assert.deepEqual(await read('tar:100+200:s3://data/shards/a.tar', { s3 }), archive.subarray(100, 300));
  assert.deepEqual(server.requests, ['/data/shards/a.tar bytes=100-299']);
  await refuses('tar:4001+1000:s3://data/shards/a.tar', 'IMAGE_CORRUPT', { s3 });
  await refuses('tar:5000+1:s3://data/shards/a.tar', 'IMAGE_CORRUPT', { s3 });
  await refuses('tar:0+1:s3://data/shards/b.tar', 'IMAGE_NOT_FOUND', { s3 });
});
