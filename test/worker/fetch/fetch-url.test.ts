import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { type ReadOptions, readUrl as read } from '../../support/readImage.ts';

const image = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
const gone: RequestListener = (_, response) => void response.writeHead(404).end();
const to =
  (location: string): RequestListener =>
  (_, response) =>
    void response.writeHead(302, { location }).end('moved');

/** What the server answers, by path. `/status/N` is made of its number. */
const answers: Record<string, RequestListener> = {
  '/image': (_, response) => void response.end(image),
  '/signed': (request, response) => void response.end(request.url),
  '/headers': (request, response) => void response.end(JSON.stringify(request.headers)),
  '/empty': (_, response) => void response.end(),
  '/announced': (_, response) => void response.writeHead(200, { 'content-length': 1e9 }).write('x'),
  '/endless': (_, response) => {
    const more = () => {
      while (response.write(image)) {}
    };
    response.on('drain', more);
    more();
  },
  '/slow': (_, response) => void response.writeHead(200).write('first'),
  '/silent': () => {},
  '/cut': (_, response) => {
    response
      .writeHead(200, { 'content-length': 5000 })
      .write(image.subarray(0, 100), () => response.destroy());
  },
  '/cut-chunked': (_, response) => void response.write(image, () => response.destroy()),
  '/reset': (request) => void request.socket.destroy(),
  '/gzip': (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
  '/loop': to('/loop'),
  '/to-password': to('http://user:hunter2@example.com/'),
  '/slow-error': (_, response) => void response.writeHead(404, { 'content-length': 1e9 }).write('not found'),
};

let server: Server;
let base: string;
let port: number;
before(async () => {
  server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    const [, kind, number] = path.split('/');
    if (kind === 'status') return void response.writeHead(Number(number)).end('no');
    (answers[path] ?? gone)(request, response);
  });
  await once(server.listen(0), 'listening');
  port = (server.address() as AddressInfo).port;
  base = `http://127.0.0.1:${port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const refuses = (uri: string, code: string, changes?: Partial<ReadOptions>) =>
  assert.rejects(read(uri, changes), { code }, uri);

test('the body comes byte for byte, with the query sent and the image asked for plainly', async () => {
  assert.deepEqual(await read(`${base}/image#fragment`), image);
  assert.equal((await read(`${base}/signed?key=a%20b&x=1`)).toString(), '/signed?key=a%20b&x=1');
  const headers = JSON.parse((await read(`${base}/headers`)).toString());
  assert.equal(headers['user-agent'], 'clipfleet-test/1');
  assert.equal(headers['accept-encoding'], 'identity');
});

test('a status says by its code whether another attempt can help', async () => {
  const codes: [number, string, boolean][] = [
    [404, 'IMAGE_NOT_FOUND', false],
    [410, 'IMAGE_NOT_FOUND', false],
    [401, 'IMAGE_FORBIDDEN', false],
    [403, 'IMAGE_FORBIDDEN', false],
    [400, 'IMAGE_HTTP_STATUS', false],
    [304, 'IMAGE_HTTP_STATUS', false],
    [451, 'IMAGE_HTTP_STATUS', false],
    ...[408, 425, 429, 500, 502, 503, 504].map((status): [number, string, boolean] => [
      status,
      'FETCH_FAILED',
      true,
    ]),
  ];
  for (const [status, code, retry] of codes) {
    await assert.rejects(read(`${base}/status/${status}`), { code, retry }, String(status));
  }
});

test('exactly the bytes allowed pass, one more is too many, announced or not', async () => {
  assert.equal((await read(`${base}/image`, { bytesMax: 5000 })).length, 5000);
  await refuses(`${base}/image`, 'IMAGE_TOO_LARGE', { bytesMax: 4999 });
  await refuses(`${base}/announced`, 'IMAGE_TOO_LARGE');
  await refuses(`${base}/endless`, 'IMAGE_TOO_LARGE');
  await refuses(`${base}/empty`, 'IMAGE_EMPTY');
});

test('an error page that does not end holds nothing up', async () => {
  await refuses(`${base}/slow-error`, 'IMAGE_NOT_FOUND');
});

test('the deadline is of the whole fetch', async () => {
  await refuses(`${base}/slow`, 'FETCH_TIMEOUT', { timeoutMs: 100 });
  await refuses(`${base}/silent`, 'FETCH_TIMEOUT', { timeoutMs: 100 });
});

test('an aborted fetch ends with the reason of its signal', async () => {
  const controller = new AbortController();
  const reason = new Error('shutting down');
  server.once('request', () => controller.abort(reason));
  await assert.rejects(read(`${base}/silent`, {}, controller.signal), reason);
});

test('connections that break off may be tried again', async () => {
  for (const path of ['/cut', '/cut-chunked', '/reset']) {
    await assert.rejects(read(base + path), { code: 'FETCH_FAILED', retry: true }, path);
  }
  await refuses('http://no-such-host.invalid/x.jpg', 'FETCH_FAILED');
});

test('encoded bodies are refused by name', async () => {
  await assert.rejects(read(`${base}/gzip`), { code: 'IMAGE_UNSUPPORTED', message: /gzip/ });
});

test('no secret of a URL is in a message', async () => {
  const secret = /hunter2|s3cret/;
  const uris = [
    `http://user:hunter2@127.0.0.1:${port}/image`,
    `${base}/no?sig=s3cret`,
    `${base}/cut?sig=s3cret`,
  ];
  uris.push(
    `${base}/loop?sig=s3cret`,
    `${base}/to-password`,
    'http://user:hunter2@[',
    `${base}/endless?sig=s3cret`,
  );
  for (const uri of uris) {
    await assert.rejects(read(uri), (error: Error) => !secret.test(error.message), uri);
  }
  await refuses(uris[0]!, 'IMAGE_URI_INVALID');
});
