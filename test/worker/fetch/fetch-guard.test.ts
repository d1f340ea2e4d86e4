import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { createUrlReader } from '../../../src/worker/fetch/fetchUrl.ts';
import { isPublicAddress, type LookUpName, lookUpHere } from '../../../src/worker/fetch/guardedAgent.ts';
import { readUrl } from '../../support/readImage.ts';

const image = Buffer.from('an image');
const blockedAddress = { code: 'IMAGE_ADDRESS_BLOCKED' };

let connections = 0;
let server: Server;
let base: string;
let port: number;
before(async () => {
  server = createServer((request, response) => {
    if (request.url === '/to-blocked')
      response.writeHead(302, { location: `http://[::1]:${port}/image` }).end('moved');
    else response.end(image);
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
    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://${host}:${port}/image`;
      await assert.rejects(readUrl(url, { allowPrivateAddresses: false }), blockedAddress, url);
    }
  }
  // The server takes connections in their order: had one of those been made, this one would not be the first.
  await readUrl(`${base}/image`);
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
  const before = connections;
  await assert.rejects(reader.read(`${base}/to-blocked`, new AbortController().signal), blockedAddress);
  assert.equal(connections - before, 1);
});

test('the connected peer is checked too, whatever the look-up said', async (t) => {
  let asked = 0;
  const reader = readerThatAllows(() => ++asked === 1);
  t.after(() => reader.close());
  await assert.rejects(reader.read(`${base}/image`, new AbortController().signal), blockedAddress);
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
  await assert.rejects(reader.read(`http://none.test:${port}/image`, signal), blockedAddress);
  assert.deepEqual(judged, answers['none.test']);
});

test('a connection serves more than one image', async (t) => {
  const reader = readerThatAllows(() => true);
  t.after(() => reader.close());
  const before = connections;
  for (let count = 0; count < 20; count++) await reader.read(`${base}/image`, new AbortController().signal);
  // Not 1: a next request may come before undici has taken the first connection back.
  assert.ok(connections - before <= 2, `20 images over ${connections - before} connections`);
});
