import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createUrlReader } from '../../../src/worker/fetch/fetchUrl.ts';
import { isPublicAddress, type LookUpName, lookUpHere } from '../../../src/worker/fetch/guardedAgent.ts';
import { type ReadOptions, readImage } from '../../support/readImage.ts';

const image = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251));
const gone: RequestListener = (_, response) => void response.writeHead(404).end();
const to =
  (location: string, status = 302): RequestListener =>
  (_, response) =>
    void response.writeHead(status, { location }).end('moved');

/** What the server answers, by path. `/status/N` and `/hops/N` are made of their number. */
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
  '/to-file': to('file:///etc/passwd'),
  '/to-data': to('data:,x'),
  '/to-password': to('http://user:hunter2@example.com/'),
  '/to-nothing': (_, response) => void response.writeHead(302).end(),
  '/slow-error': (_, response) => void response.writeHead(404, { 'content-length': 1e9 }).write('not found'),
};

let connections = 0;
let server: Server;
let base: string;
let port: number;
before(async () => {
  server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://x').pathname;
    const [, kind, number] = path.split('/');
    if (kind === 'status') return void response.writeHead(Number(number)).end('no');
    if (kind === 'hops')
      return to(number === '1' ? '/image' : `${Number(number) - 1}`, 307)(request, response);
    (answers[path] ?? gone)(request, response);
  });
  server.on('connection', () => connections++);
  // One port for both families, so that every spelling of "this machine" would reach it.
  await once(server.listen(0), 'listening');
  port = (server.address() as AddressInfo).port;
  base = `http://127.0.0.1:${port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

async function read(uri: string, changes: Partial<ReadOptions> = {}, signal?: AbortSignal): Promise<Buffer> {
  const options = {
    roots: new Map(),
    trustPaths: false,
    bytesMax: 5000,
    timeoutMs: 20_000,
    redirectsMax: 3,
    allowPrivateAddresses: true,
    userAgent: 'clipfleet-test/1',
    ...changes,
  };
  return await readImage(uri, options, signal);
}
const refuses = (uri: string, code: string, changes?: Partial<ReadOptions>) =>
  assert.rejects(read(uri, changes), { code }, uri);

test('the body comes byte for byte, with the query sent and the image asked for plainly', async () => {
  assert.deepEqual(await read(`${base}/image#fragment`), image);
  assert.equal((await read(`${base}/signed?key=a%20b&x=1`)).toString(), '/signed?key=a%20b&x=1');
  const headers = JSON.parse((await read(`${base}/headers`)).toString());
  assert.equal(headers['user-agent'], 'clipfleet-test/1');
  assert.equal(headers['accept-encoding'], 'identity');
});

test('private addresses are refused in every spelling, and no connection is made', async () => {
  const hosts = [
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::127.0.0.1]',
    '[0:0:0:0:0:ffff:7f00:1]',
    'localhost',
  ];
  hosts.push('2130706433', '0x7f.1', '0177.0.0.1', '127.1', '127.0.0.2', '0.0.0.0', '[::]');
  const before = connections;
  for (const host of hosts) {
    await refuses(`http://${host}:${port}/image`, 'IMAGE_ADDRESS_BLOCKED', { allowPrivateAddresses: false });
    await refuses(`https://${host}:${port}/image`, 'IMAGE_ADDRESS_BLOCKED', { allowPrivateAddresses: false });
  }
  // The server takes connections in their order: had one of those been made, this one would not be the first.
  await read(`${base}/image`);
  assert.equal(connections - before, 1);
});

test('addresses that are not of the public internet', () => {
  const blocked = [
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '168.63.129.16',
    '::ffff:168.63.129.16',
  ];
  blocked.push(
    '255.255.255.255',
    '198.18.0.1',
    '240.0.0.1',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
  );
  blocked.push(
    'ff02::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
    '2002:a00:1::',
    '2001:db8::1',
    '::7f00:1',
    '::10.0.0.1',
    'fec0::1',
    '4000::1',
    'example.com',
    '',
  );
  assert.deepEqual(blocked.filter(isPublicAddress), []);
  const open = ['8.8.8.8', '2606:4700::1111', '::ffff:8.8.8.8'];
  assert.deepEqual(open.filter(isPublicAddress), open);
});

function readerThatAllows(isAllowedAddress: (address: string) => boolean, lookUpName = lookUpHere) {
  return createUrlReader({
    bytesMax: 5000,
    timeoutMs: 20_000,
    redirectsMax: 3,
    userAgent: 'x',
    isAllowedAddress,
    lookUpName,
  });
}

test('every hop is checked: a redirect from an allowed host to a blocked one stops before it connects', async (t) => {
  const reader = readerThatAllows((address) => address === '127.0.0.1');
  t.after(() => reader.close());
  answers['/to-blocked'] = to(`http://[::1]:${port}/image`);
  const before = connections;
  await assert.rejects(reader.read(`${base}/to-blocked`, new AbortController().signal), {
    code: 'IMAGE_ADDRESS_BLOCKED',
  });
  assert.equal(connections - before, 1);
});

test('the connected peer is checked too, whatever the look-up said', async (t) => {
  let asked = 0;
  const reader = readerThatAllows(() => ++asked === 1);
  t.after(() => reader.close());
  await assert.rejects(reader.read(`${base}/image`, new AbortController().signal), {
    code: 'IMAGE_ADDRESS_BLOCKED',
  });
  assert.equal(asked, 2);
});

test('every address that a look-up gives is judged, and only those that pass are connected to', async (t) => {
  const answers: Record<string, string[]> = {
    'one.test': ['10.0.0.1', '127.0.0.1'],
    'none.test': ['10.0.0.1', '169.254.169.254'],
  };
  const judged: string[] = [];
  const lookUpName: LookUpName = async (name) => answers[name]!.map((address) => ({ address, family: 4 }));
  const reader = readerThatAllows((address) => {
    judged.push(address);
    return address === '127.0.0.1';
  }, lookUpName);
  t.after(() => reader.close());
  const { signal } = new AbortController();
  const { length } = await reader.read(`http://one.test:${port}/image`, signal);
  assert.equal(length, image.length);
  assert.deepEqual(judged.splice(0), ['10.0.0.1', '127.0.0.1', '127.0.0.1'], 'both, and the peer');
  const blocked = { code: 'IMAGE_ADDRESS_BLOCKED' };
  await assert.rejects(reader.read(`http://none.test:${port}/image`, signal), blocked);
  assert.deepEqual(judged, answers['none.test']);
});

test('redirects are followed as far as allowed', async () => {
  assert.deepEqual(await read(`${base}/hops/3`), image);
  await refuses(`${base}/hops/4`, 'IMAGE_TOO_MANY_REDIRECTS');
  await refuses(`${base}/hops/1`, 'IMAGE_TOO_MANY_REDIRECTS', { redirectsMax: 0 });
  await refuses(`${base}/loop`, 'IMAGE_TOO_MANY_REDIRECTS');
});

test('redirects lead to http and https only', async () => {
  for (const path of ['/to-file', '/to-data', '/to-password'])
    await refuses(base + path, 'IMAGE_URI_INVALID');
  await refuses(`${base}/to-nothing`, 'IMAGE_HTTP_STATUS');
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

test('a connection serves more than one image', async (t) => {
  const reader = readerThatAllows(() => true);
  t.after(() => reader.close());
  const before = connections;
  for (let count = 0; count < 20; count++) await reader.read(`${base}/image`, new AbortController().signal);
  // Not 1: a next request may come before undici has taken the first connection back.
  assert.ok(connections - before <= 2, `20 images over ${connections - before} connections`);
});
