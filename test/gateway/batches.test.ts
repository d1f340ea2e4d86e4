// Batches with OpenAI's own client for JavaScript, against a real gateway, worker and Redis.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import OpenAI, { toFile } from 'openai';
import { demoModel, type Fleet, jsonLines, pictures, startFleet } from '../support/fleet.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const candidate_labels = ['fox', 'bear', 'owl'];

/** A line of an output or an error file. */
interface Line {
  custom_id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads of it what the route documents
  response: { status_code: number; body: any } | null;
  error: { code: string; message: string } | null;
}

const openAiAt = ({ url }: Gateway) => new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });

const line = (custom_id: string, body: object, url = '/v1/classify') =>
  JSON.stringify({ custom_id, method: 'POST', url, body });

const classify = (inputs: string, labels = candidate_labels) => ({
  inputs,
  parameters: { candidate_labels: labels },
});

async function dataUrl(name: string): Promise<string> {
  return `data:;base64,${(await readFile(join(pictures, name))).toString('base64')}`;
}

async function begin(openai: OpenAI, lines: string[], endpoint = '/v1/classify', more: object = {}) {
  const file = await openai.files.create({
    file: await toFile(Buffer.from(`${lines.join('\n')}\n`), 'in.jsonl'),
    purpose: 'batch',
  });
  const asked = { input_file_id: file.id, endpoint, completion_window: '24h', ...more };
  return openai.batches.create(asked as OpenAI.BatchCreateParams);
}

async function ended(openai: OpenAI, id: string): Promise<OpenAI.Batch> {
  return until(async () => {
    const batch = await openai.batches.retrieve(id);
    return ['completed', 'failed', 'expired', 'cancelled'].includes(batch.status) ? batch : undefined;
  }, 'the batch ends') as Promise<OpenAI.Batch>;
}

async function linesOf(openai: OpenAI, file: string | null | undefined): Promise<Line[]> {
  return file ? jsonLines<Line>(await (await openai.files.content(file)).text()) : [];
}

async function served(
  t: TestContext,
  ...flags: string[]
): Promise<Gateway & { fleet: Fleet; openai: OpenAI }> {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel);
  const gateway = await startGateway(fleet, ...flags);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  return { ...gateway, fleet, openai: openAiAt(gateway) };
}

test('each line is answered as its route answers it, or is in the error file with our code', async (t) => {
  const { openai, ask, fleet } = await served(t);
  const [owl, fox] = [await dataUrl('owl.jpg'), await dataUrl('fox.jpg')];
  const metadata = { shop: 'north' };
  const begun = await begin(
    openai,
    [
      line('owl', classify(owl)),
      line('fox', classify(fox)),
      line('other labels', classify(owl, ['bird', 'car'])),
      '',
      'no json',
      line('no image', classify('data:,none')),
      line('elsewhere', classify(owl), '/v1/embeddings'),
      line('owl', classify(fox)),
      line('one label', classify(owl, ['fox'])),
      line('inside', classify('http://127.0.0.1:1/a.jpg')),
      line('no such model', { ...classify(owl), model: 'none' }),
      '{"method":"POST"}',
    ],
    '/v1/classify',
    { metadata },
  );
  assert.equal(begun.object, 'batch');
  assert.equal(begun.status, 'validating');
  const batch = await ended(openai, begun.id);
  assert.equal(batch.status, 'completed', JSON.stringify(batch));
  assert.deepEqual(batch.request_counts, { total: 11, completed: 3, failed: 8 });
  assert.deepEqual(batch.metadata, metadata);
  assert.ok(batch.completed_at! >= batch.in_progress_at!);

  const output = await linesOf(openai, batch.output_file_id);
  const asked = await Promise.all([classify(owl), classify(fox), classify(owl, ['bird', 'car'])].map(direct));
  assert.deepEqual(
    output.map(({ custom_id, response, error }) => [custom_id, response?.status_code, response?.body, error]),
    ['owl', 'fox', 'other labels'].map((id, i) => [id, 200, asked[i], null]),
  );
  async function direct(body: object) {
    return (await ask('POST', '/v1/classify', body)).json;
  }

  const errors = await linesOf(openai, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id, response, error }) => [custom_id, response?.status_code, error?.code]),
    [
      [null, 400, 'REQUEST_INVALID'],
      ['no image', 422, 'IMAGE_UNSUPPORTED'],
      ['elsewhere', 400, 'REQUEST_INVALID'],
      ['owl', 400, 'REQUEST_INVALID'],
      ['one label', 400, 'REQUEST_INVALID'],
      ['inside', 422, 'IMAGE_ADDRESS_BLOCKED'],
      ['no such model', 404, 'MODEL_NOT_FOUND'],
      [null, 400, 'REQUEST_INVALID'],
    ],
  );
  assert.match(errors[0]!.error!.message, /^line 5: expected JSON, got "no json"/);
  assert.match(errors[3]!.error!.message, /custom_id of its own, "owl" came before/);
  assert.equal(errors[1]!.response!.body.error.code, 'IMAGE_UNSUPPORTED');

  // Rows hold images: the batch's runs are gone, and so is what it wrote on its way.
  assert.deepEqual(
    (await fleet.producer.list()).filter(({ source }) => source?.startsWith('batch')),
    [],
  );
  const files = await openai.files.list();
  assert.deepEqual(
    new Set(files.data.map(({ id }) => id)),
    new Set([batch.input_file_id, batch.output_file_id, batch.error_file_id]),
  );
});

test('lines for vectors get those of the route', async (t) => {
  const { openai, ask, fleet } = await served(t);
  const owl = await dataUrl('owl.jpg');
  const bodies = [
    { input: 'This is a photo of an owl.' },
    { input: ['a fox', owl, { text: 'a bear' }], encoding_format: 'base64' },
    { input: { image: owl } },
    { input: [owl], model: 'demo' },
  ];
  const broken = line('broken', { input: ['a fox', 'data:,none'] }, '/v1/embeddings');
  const lines = bodies.map((body, i) => line(String(i), body, '/v1/embeddings'));
  const batch = await ended(openai, (await begin(openai, [...lines, broken], '/v1/embeddings')).id);
  assert.deepEqual(batch.request_counts, { total: 5, completed: 3, failed: 2 }, JSON.stringify(batch));
  const output = await linesOf(openai, batch.output_file_id);
  for (const { custom_id, response } of output) {
    const route = (await ask('POST', '/v1/embeddings', bodies[Number(custom_id)])).json;
    assert.equal(response!.body.model, route.model);
    assert.equal(response!.body.data.length, route.data.length);
    for (const [i, { embedding, index }] of response!.body.data.entries()) {
      assert.equal(index, i);
      const [got, expected] = [embedding, route.data[i].embedding].map(floats);
      assert.equal(got!.length, expected!.length);
      assert.ok(
        got!.every((x, d) => Math.abs(x - expected![d]!) < 1e-5),
        `${custom_id} ${i}`,
      );
    }
  }
  const errors = await linesOf(openai, batch.error_file_id);
  assert.deepEqual(
    errors.map(({ custom_id, error }) => [custom_id, error?.code]),
    [
      // A single input is a text, a data: URL or a list.
      ['2', 'REQUEST_INVALID'],
      ['broken', 'IMAGE_UNSUPPORTED'],
    ],
  );
  assert.match(errors[1]!.error!.message, /^input\[1\]: /);
  // Their vectors do not wait for the end of a minute.
  const vectors = await fleet.redis.keys('clipfleet:vectors:*');
  assert.deepEqual(
    vectors.filter((key) => key.includes('batch_')),
    [],
  );
});

function floats(embedding: number[] | string): number[] {
  if (typeof embedding !== 'string') return embedding;
  return [...new Float32Array(new Uint8Array(Buffer.from(embedding, 'base64')).buffer)];
}

test('a batch without a worker is cancelled, expires, and fails where its file is none', async (t) => {
  const { openai, fleet } = await served(t);
  const [model] = await fleet.redis.hkeys('clipfleet:models');
  const owl = await dataUrl('owl.jpg');
  const waiting = { ...classify(owl), model: String(model).replace('demo@', 'other@') };

  const one = await begin(openai, [line('a', waiting), line('b', classify(owl)), line('c', waiting)]);
  await until(async () => (await openai.batches.retrieve(one.id)).status === 'in_progress', 'it is carried');
  await until(
    async () => (await fleet.redis.keys('clipfleet:run:*batch_*')).length === 2,
    'its runs are there',
  );
  for (const key of await fleet.redis.keys('clipfleet:run:*batch_*'))
    assert.ok((await fleet.redis.pttl(key)) > 24 * 3_600_000, key);
  const ofBatch = async () => (await fleet.producer.list()).filter(({ source }) => source?.includes(one.id));
  await until(
    async () => (await ofBatch()).some(({ complete }) => complete),
    'the one with a worker is done',
  );
  assert.equal((await openai.batches.cancel(one.id)).status, 'cancelling');
  const cancelled = await ended(openai, one.id);
  assert.equal(cancelled.status, 'cancelled');
  assert.ok(cancelled.cancelled_at! >= cancelled.cancelling_at!);
  const outcomes = [
    ...(await linesOf(openai, cancelled.output_file_id)),
    ...(await linesOf(openai, cancelled.error_file_id)),
  ].map(({ custom_id, response, error }) => [custom_id, response === null, error?.code]);
  assert.deepEqual(outcomes, [
    ['b', false, undefined],
    ['a', true, 'BATCH_CANCELLED'],
    ['c', true, 'BATCH_CANCELLED'],
  ]);
  await assert.rejects(openai.batches.cancel(one.id), { status: 409, code: 'BATCH_ENDED' });

  const two = await begin(openai, [line('a', waiting)], '/v1/classify', { completion_window: '1s' });
  const expired = await ended(openai, two.id);
  assert.equal(expired.status, 'expired');
  assert.deepEqual(
    (await linesOf(openai, expired.error_file_id)).map(({ error }) => error?.code),
    ['BATCH_EXPIRED'],
  );

  const empty = await ended(openai, (await begin(openai, ['', ' '])).id);
  assert.deepEqual([empty.status, empty.errors?.data?.[0]?.code], ['failed', 'BATCH_INVALID']);
});

test('a gateway that is killed in the middle is followed by another, and each line is answered once', async (t) => {
  const { openai, running, fleet } = await served(t);
  const owl = await dataUrl('owl.jpg');
  const ids = Array.from({ length: 1_200 }, (_, i) => `line ${i}`);
  const { id } = await begin(
    openai,
    ids.map((custom_id) => line(custom_id, classify(owl))),
  );
  await until(async () => {
    const { completed, total } = (await openai.batches.retrieve(id)).request_counts!;
    assert.ok(total === 0 || completed < total, 'too fast for the test');
    return completed > 0;
  }, 'a window is written');
  running.child.kill('SIGKILL');
  await running.ended;
  // What is written is not done again: the mark would be gone.
  const fields = await fleet.redis.hkeys(`clipfleet:batch:{${id}}`);
  const window = fields.find((field) => field.startsWith('window:'))!.slice('window:'.length);
  const path = join(fleet.folder, '.clipfleet/files', id, `${window.padStart(6, '0')}.output.jsonl`);
  await writeFile(path, (await readFile(path, 'utf8')).replace('"custom_id"', '"marked":true,"custom_id"'));
  const after = openAiAt(await startGateway(fleet));
  const batch = await ended(after, id);
  assert.equal(batch.status, 'completed');
  assert.deepEqual(batch.request_counts, { total: ids.length, completed: ids.length, failed: 0 });
  const output = await linesOf(after, batch.output_file_id);
  assert.deepEqual(
    output.map(({ custom_id }) => custom_id),
    ids,
  );
  assert.equal(output.filter((each) => 'marked' in each).length, 1);
});
