// The ends of runs are told: signed, by one gateway, again where it fails, and to no private address.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { parseWebhookSecrets } from '../../src/gateway/webhooks/signature.ts';
import { startWebhooks } from '../../src/gateway/webhooks/startWebhooks.ts';
import { createWebhookRecords } from '../../src/gateway/webhooks/webhookRecords.ts';
import { createGuardedPost } from '../../src/guardedPost.ts';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import { createLog } from '../../src/shared/log/log.ts';
import { keysUnder } from '../../src/shared/redis/keys.ts';
import { type Fleet, repository, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';
import { receiveWebhooks } from '../support/webhookReceiver.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const labelSet = { labels: ['fox', 'owl'] };
const model = 'demo@abc:fp32';

async function secretsFile(fleet: Fleet, ...secrets: string[]): Promise<string> {
  const file = join(fleet.folder, 'secrets.txt');
  await writeFile(file, `# of the shop\n${secrets.join('\n')}\n`);
  return file;
}

test('the end of a run is told once by one of two gateways, and each secret has signed it', async (t) => {
  const fleet = await startFleet(t);
  const secrets = [newSecret(), newSecret()] as const;
  const flags = ['--webhook-secrets', await secretsFile(fleet, ...secrets), '--allow-private-addresses'];
  const [one] = await Promise.all([startGateway(fleet, ...flags), startGateway(fleet, ...flags)]);
  const { url, received } = await receiveWebhooks(t);
  for (const run of ['done', 'ended']) {
    const opened = await one.ask('POST', '/v1/runs', {
      run,
      model,
      labelSet,
      webhook: url,
      source: 'a test',
    });
    assert.equal(opened.status, 201, opened.text);
  }
  const webhookOf = async (run: string) => (await one.ask('GET', `/v1/runs/${run}`)).json.webhook;
  assert.deepEqual(await webhookOf('done'), { to: new URL(url).origin, state: 'waiting', attempts: 0 });

  await one.ask('POST', '/v1/runs/done/seal');
  await one.ask('POST', '/v1/runs/ended/images', [{ uri: 'a.jpg' }]);
  await one.ask('POST', '/v1/runs/ended/cancel');
  const isTold = async (run: string) => (await webhookOf(run)).state === 'delivered';
  await until(async () => (await isTold('done')) && (await isTold('ended')), 'both are told');
  assert.deepEqual(await webhookOf('done'), { to: new URL(url).origin, state: 'delivered', attempts: 1 });

  // Time for the other gateway's looks.
  await fleet.redis.zadd('clipfleet:webhooks', 0, 'done', 0, 'ended');
  await until(async () => (await fleet.redis.zcard('clipfleet:webhooks')) === 0, 'nothing is left to tell');
  assert.equal(received.length, 2);
  const events = received.map(({ headers, body }) => {
    for (const secret of secrets) new Webhook(secret).verify(body, headers as Record<string, string>);
    assert.throws(() => new Webhook(newSecret()).verify(body, headers as Record<string, string>));
    return JSON.parse(body);
  });
  events.sort((a, b) => (a.type < b.type ? -1 : 1));
  assert.deepEqual(
    events.map(({ type, data }) => [type, data.run, data.expected, data.skipped, data.source]),
    [
      ['run.cancelled', 'ended', 1, 1, 'a test'],
      ['run.complete', 'done', 0, 0, 'a test'],
    ],
  );
  assert.equal((await one.ask('DELETE', '/v1/runs/done')).status, 204);
  assert.deepEqual(await fleet.redis.keys('clipfleet:webhook:*done*'), []);
});

test('nothing is told to an address that is not public, nor without a secret', async (t) => {
  const fleet = await startFleet(t);
  const { url, received } = await receiveWebhooks(t);
  const guarded = await startGateway(fleet, '--webhook-secrets', await secretsFile(fleet, newSecret()));
  const refused = async ({ ask }: typeof guarded, webhook: string) => {
    const { status, json } = await ask('POST', '/v1/runs', { model, labelSet, webhook });
    assert.deepEqual([status, json.code], [400, 'REQUEST_INVALID'], webhook);
    return json.detail as string;
  };
  for (const webhook of [url, 'http://[::1]/', 'http://0x7f.1/', 'http://169.254.169.254/latest'])
    assert.match(await refused(guarded, webhook), /public address/);
  for (const webhook of ['ftp://example.org/', 'http://', 'http://user:pass@example.org/'])
    await refused(guarded, webhook);
  assert.match(await refused(await startGateway(fleet), 'https://example.org/'), /--webhook-secrets/);

  // What a name leads to is seen when it is called.
  const named = url.replace('127.0.0.1', 'localhost');
  assert.equal(
    (await guarded.ask('POST', '/v1/runs', { run: 'r', model, labelSet, webhook: named })).status,
    201,
  );
  await guarded.ask('POST', '/v1/runs/r/seal');
  const tried = await until(async () => {
    const { webhook } = (await guarded.ask('GET', '/v1/runs/r')).json;
    return webhook.error ? webhook : undefined;
  }, 'it was tried');
  assert.deepEqual([tried.state, tried.attempts], ['waiting', 1]);
  assert.match(tried.error, /public address/);
  assert.equal(received.length, 0);
});

const waits = { pausesMs: [10, 10], lookMs: 20, claimMs: 300 };

/** A teller of this process, on a run that has ended. */
async function tell(
  t: TestContext,
  fleet: Fleet,
  url: string,
  { secrets = parseWebhookSecrets(newSecret()) } = {},
) {
  const records = createWebhookRecords(fleet.redis, keysUnder('clipfleet'));
  const post = createGuardedPost({ allowPrivateAddresses: true, timeoutMs: 5_000, userAgent: 'test' });
  const sender = { secrets, ...post };
  const { producer } = fleet;
  const start = () => startWebhooks({ records, producer, sender, log: createLog('silent'), ...waits });
  const open = await producer.openRun({ run: 'r', model, labelSet: defineLabelSet(labelSet) });
  await open.close();
  await producer.runs.seal('r');
  await records.add('r', (await producer.describe('r')).birth!, url);
  const telling = start();
  t.after(() => telling.close());
  return { records, telling, start };
}

test('the example hears of a run’s end', async (t) => {
  const fleet = await startFleet(t);
  const secret = newSecret();
  const env = { ...process.env, WEBHOOK_SECRET: secret, PORT: '0' };
  const child = spawn(process.execPath, [join(repository, 'dist/examples/webhook.js')], { env });
  t.after(() => child.kill('SIGKILL'));
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  const port = await until(() => /port: (\d+)/.exec(said)?.[1], 'the example listens');
  const url = `http://127.0.0.1:${port}/`;
  await tell(t, fleet, url, { secrets: parseWebhookSecrets(secret) });
  await until(() => said.includes('run.complete r\n'), 'it is told');
  assert.equal((await fetch(url, { method: 'POST', body: '{}' })).status, 401);
});

test('a receiver that fails is told again under the same id, until it is given up', async (t) => {
  const fleet = await startFleet(t);
  const statuses = [500, 302, 204, 500, 500, 500];
  const { url, received } = await receiveWebhooks(t, (n) => statuses[n]);
  const { records } = await tell(t, fleet, url);
  await until(async () => (await records.get('r'))!.state === 'delivered', 'the third try goes well');
  const ids = () => received.map(({ headers }) => headers['webhook-id']);
  assert.equal(received.length, 3);
  assert.equal(new Set(ids()).size, 1);
  assert.equal(new Set(received.map(({ body }) => body)).size, 1);

  // The run goes on, and ends once more.
  await records.again('r');
  const end = await until(async () => {
    const webhook = (await records.get('r'))!;
    return webhook.state === 'given up' ? webhook : undefined;
  }, 'three tries failed');
  assert.deepEqual([end!.attempts, end!.error], [3, 'Expected a status of 200 to 299, got 500.']);
  assert.equal(received.length, 6);
  assert.deepEqual([new Set(ids()).size, ids()[5]], [2, `${ids()[0]}-1`]);
});

test('a receiver that is gone is told no more', async (t) => {
  const fleet = await startFleet(t);
  const { url, received } = await receiveWebhooks(t, () => 410);
  const { records } = await tell(t, fleet, url);
  await until(async () => (await records.get('r'))!.state === 'given up', 'it is given up');
  assert.equal(received.length, 1);
});

test('a gateway that ends in the middle of a try is followed by another', async (t) => {
  const fleet = await startFleet(t);
  const { url, received } = await receiveWebhooks(t, (n) => (n === 0 ? undefined : 200));
  const { records, telling, start } = await tell(t, fleet, url);
  await until(() => received.length === 1, 'the first try is under way');
  await telling.close();
  const next = start();
  t.after(() => next.close());
  await until(async () => (await records.get('r'))!.state === 'delivered', 'the second one tells it');
  assert.equal(received[1]!.headers['webhook-id'], received[0]!.headers['webhook-id']);
});
