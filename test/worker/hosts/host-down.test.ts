import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { serveHttp } from '../../support/imageServer.ts';
import { addUrls, codeOf, owl, runIsComplete, startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

/** `count` URLs of each base, the first base's first. */
const urlsOf = (count: number, ...bases: string[]) =>
  bases.flatMap((base) => Array.from({ length: count }, (_, i) => `${base}/${i}.jpg`));

test('a host that nobody listens at holds up no other, and its images wait for it', async (t) => {
  const fleet = await startFleet(t);
  const healthy = await serveHttp(t, (_, response) => void response.end(owl));
  const closed = createServer().listen(0, '127.0.0.2');
  await until(() => closed.listening, 'a port is found');
  const dead = `http://127.0.0.2:${(closed.address() as AddressInfo).port}`;
  closed.close();
  await addUrls(fleet, urlsOf(100, dead, healthy), { chunkSize: 10, attempts: 100 });
  await startPoliteWorker(fleet);
  const { store } = fleet.producer;
  await until(
    async () => (await store.counts('r')).classified === 100,
    'all of the healthy host are classified',
  );
  assert.equal((await store.counts('r')).failed, 0);
});

test('a dead host is remembered: its images fail without being asked for', async (t) => {
  const fleet = await startFleet(t);
  let connections = 0;
  const dying = createServer((socket) => {
    connections++;
    socket.destroy();
  }).listen(0, '127.0.0.2');
  t.after(() => dying.close());
  await until(() => dying.listening, 'it listens');
  const dead = `http://127.0.0.2:${(dying.address() as AddressInfo).port}`;
  await addUrls(fleet, urlsOf(200, dead), { chunkSize: 10, attempts: 2 });
  await startPoliteWorker(fleet, '--host-down-ms', '1');
  await runIsComplete(fleet);
  const codes = (await fleet.rows('r')).map(codeOf);
  assert.equal(codes.length, 200);
  const asked = codes.filter((code) => code === 'FETCH_FAILED').length;
  assert.equal(codes.filter((code) => code === 'HOST_DOWN').length, 200 - asked);
  assert.ok(
    asked <= connections && connections < 50,
    `${connections} connections, ${asked} of them the last`,
  );
});

test('a host that hangs holds up no other', async (t) => {
  const fleet = await startFleet(t);
  const held: ServerResponse[] = [];
  const hanging = await serveHttp(t, (_, response) => void held.push(response));
  const healthy = await serveHttp(t, (_, response) => void response.end(owl));
  await addUrls(fleet, urlsOf(80, hanging, healthy), { chunkSize: 10 });
  await startPoliteWorker(fleet, '--images-in-flight', '4', '--fetch-timeout-ms', '3600000');
  const { store } = fleet.producer;
  await until(
    async () => (await store.counts('r')).classified === 80,
    'all of the healthy host are classified',
  );
  assert.equal(held.length, 1, 'one image went ahead to see whether the host answers');
  for (const response of held) response.end(owl);
  held.push = (response) => {
    response.end(owl);
    return 0;
  };
  await runIsComplete(fleet);
  assert.deepEqual(await store.counts('r'), { classified: 160, failed: 0, failures: {} });
});
