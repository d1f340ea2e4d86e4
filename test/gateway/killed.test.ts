// A gateway that is killed while images stream in, and the request that is sent again.
import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { demoModel, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const IMAGES = 600;
const lines = Array.from({ length: IMAGES }, (_, i) => `{"id":"i${i}","uri":"owl.jpg"}\n`);
const headers = { 'content-type': 'application/x-ndjson', 'idempotency-key': 'all-of-them' };

test('the same idempotency key continues where a killed gateway stopped, and each image has one row', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--root', pictures);
  const first = await startGateway(fleet);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const labelSet = { labels: ['fox', 'owl'] };
  assert.equal((await first.ask('POST', '/v1/runs', { run: 'r', labelSet })).status, 201);

  const broken = new Promise<string>((resolve) => {
    const sending = request(`${first.url}/v1/runs/r/images?seal=true`, { method: 'POST', headers });
    sending.on('response', ({ statusCode }) => resolve(`answered ${statusCode}`));
    sending.on('error', () => resolve('broken off'));
    // The rest is never sent: the request is under way when the gateway dies.
    sending.write(lines.slice(0, IMAGES / 2).join(''));
  });
  const expected = async () => (await fleet.producer.progress('r')).expected;
  await until(async () => (await expected()) >= 256, 'some of the images are in the run');
  first.running.child.kill('SIGKILL');
  await first.running.ended;
  assert.equal(await broken, 'broken off');
  const before = await expected();
  assert.ok(before < IMAGES, `${before} images`);

  const second = await startGateway(fleet);
  // Until the lease of the dead gateway has run out, its request counts as one in progress.
  const answer = await until(async () => {
    const sent = await second.ask('POST', '/v1/runs/r/images?seal=true', lines.join(''), headers);
    if (sent.json.code === 'IDEMPOTENCY_CONFLICT') return undefined;
    assert.equal(sent.status, 200, sent.text);
    return sent.json as { added: number };
  }, 'the request is taken again');
  assert.ok(answer!.added >= IMAGES - before, `added ${answer!.added} to ${before}`);
  const again = await second.ask('POST', '/v1/runs/r/images?seal=true', lines.join(''), headers);
  assert.deepEqual(again.json, answer, 'a repetition gets the answer of the first');

  const end = await fleet.producer.waitFor('r');
  assert.deepEqual([end.complete, end.expected, end.classified, end.failed], [true, IMAGES, IMAGES, 0]);
  const rows = await fleet.rows('r');
  assert.equal(new Set(rows.map(({ id }) => id)).size, IMAGES);
});
