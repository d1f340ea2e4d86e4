// A run from its opening to its rows, over HTTP, with a real worker.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { demoModel, jsonLines, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const labelSet = { labels: ['fox', 'owl', 'bear', 'car'] };

test('a run is opened, filled by NDJSON, sealed, followed and read', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel, '--root', pictures);
  const { ask, url } = await startGateway(fleet);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');

  const opened = await ask('POST', '/v1/runs', {
    run: 'r',
    labelSet,
    source: 'a test',
    thresholds: { accept: 0 },
  });
  assert.equal(opened.status, 201, opened.text);
  assert.match(opened.json.model, /^demo@[0-9a-f]+:fp32$/);
  assert.equal(opened.headers.get('location'), '/v1/runs/r');

  const lines = '{"id":"a","uri":"owl.jpg"}\n{"uri":"fox.jpg"}\n\n{"uri":"none.jpg"}\n';
  const added = await ask('POST', '/v1/runs/r/images?seal=true', lines);
  assert.deepEqual(added.json, { run: 'r', added: 3 });
  const events = await (await fetch(`${url}/v1/runs/r/events`)).text();
  assert.match(events, /event: progress\ndata: .*\n\n(?:.*\n)*id: complete\S*\nevent: end\ndata: /);

  const run = await ask('GET', '/v1/runs/r');
  const { expected, classified, failed, failures, state, source } = run.json;
  assert.deepEqual(
    { expected, classified, failed, failures, state, source },
    {
      expected: 3,
      classified: 2,
      failed: 1,
      failures: { IMAGE_NOT_FOUND: 1 },
      state: 'complete',
      source: 'a test',
    },
  );
  assert.deepEqual(
    (await ask('GET', '/v1/runs?state=complete')).json.runs.map((of: { run: string }) => of.run),
    ['r'],
  );

  const rows = jsonLines<{ id: string; status: string }>((await ask('GET', '/v1/runs/r/rows')).text);
  assert.deepEqual(
    rows.map(({ id, status }) => `${id} ${status}`),
    ['a classified', 'fox.jpg classified', 'none.jpg failed'],
  );
  const csv = await ask('GET', '/v1/runs/r/rows?format=csv&label=owl');
  assert.match(csv.text, /^id,uri,status.*\na,owl\.jpg,classified,owl,[^\n]*\n$/);
  const decided = async (query: string) =>
    jsonLines<{ decision: string }>((await ask('GET', `/v1/runs/r/rows?${query}`)).text).length;
  assert.deepEqual([await decided('decision=accept'), await decided('decision=accept&accept=1')], [2, 0]);
  assert.equal((await ask('GET', '/v1/runs/r/row?id=a&accept=1')).json.decision, 'review');
  assert.equal((await ask('GET', '/v1/runs/r/rows?accept=70')).status, 400);
  const page = await ask('GET', '/v1/runs/r/rows/page?offset=1&limit=1');
  assert.deepEqual([page.json.rows[0].id, page.json.rows.length, page.json.next], ['fox.jpg', 1, 2]);
  assert.equal((await ask('GET', '/v1/runs/r/row?id=none.jpg')).json.error.code, 'IMAGE_NOT_FOUND');
  assert.equal((await ask('GET', '/v1/runs/r/row?id=never')).json.code, 'ROW_UNKNOWN');

  assert.equal((await ask('POST', '/v1/runs/r/images', '{"uri":"car.jpg"}\n')).json.code, 'RUN_SEALED');
  const retried = await ask('POST', '/v1/runs/r/retry');
  assert.equal(retried.status, 200, retried.text);
  await until(async () => (await ask('GET', '/v1/runs/r')).json.retrying === 0, 'the retry has ended');
  assert.equal((await ask('DELETE', '/v1/runs/r')).status, 204);
  assert.equal((await ask('GET', '/v1/runs/r')).json.code, 'RUN_UNKNOWN');

  const models = await ask('GET', '/v1/models');
  assert.deepEqual(
    models.json.models.map(({ model, workers }: { model: string; workers: number }) => [model, workers]),
    [[opened.json.model, 1]],
  );
  worker.child.kill('SIGTERM');
});

test('what a request says wrong is said, and what came before it is kept', async (t) => {
  const fleet = await startFleet(t);
  const { ask } = await startGateway(fleet);
  const codeOf = async (...asked: Parameters<typeof ask>) => {
    const { status, json, headers } = await ask(...asked);
    assert.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8');
    assert.equal(json.requestId, headers.get('x-request-id'));
    return `${status} ${json.code}`;
  };
  const model = 'demo@abc:fp32';
  assert.equal(await codeOf('POST', '/v1/runs', { labelSet }), '404 MODEL_NOT_FOUND');
  assert.equal(
    await codeOf('POST', '/v1/runs', { model, labelSet: { labels: ['a', 'a'] } }),
    '400 LABEL_SET_INVALID',
  );
  assert.equal(
    await codeOf('POST', '/v1/runs', { model, labelSet: '0'.repeat(64) }),
    '404 LABEL_SET_UNKNOWN',
  );
  assert.equal(await codeOf('POST', '/v1/runs', { model, labels: [] }), '400 REQUEST_INVALID');
  assert.equal(await codeOf('GET', '/v1/nothing'), '404 ROUTE_UNKNOWN');
  assert.equal(await codeOf('POST', '/v1/runs/none/seal'), '404 RUN_UNKNOWN');
  assert.equal(
    await codeOf('POST', '/v1/runs/none/images', 'x', { 'content-type': 'text/plain' }),
    '415 MEDIA_TYPE_UNSUPPORTED',
  );

  assert.equal((await ask('POST', '/v1/runs', { run: 'r', model, labelSet })).status, 201);
  assert.equal(
    await codeOf('POST', '/v1/runs', { run: 'r', model, labelSet: { labels: ['x', 'y'] } }),
    '409 RUN_MISMATCH',
  );
  const broken = await ask('POST', '/v1/runs/r/images', '{"uri":"a.jpg"}\n{"url":"b.jpg"}\n');
  assert.equal(broken.json.code, 'REQUEST_INVALID');
  assert.match(broken.json.detail, /^line 2, uri: .*; got \{"url":"b\.jpg"\}\.$/);
  assert.equal((await ask('GET', '/v1/runs/r')).json.waiting, 1);
  assert.equal((await ask('POST', '/v1/runs/r/images', [{ uri: 'a.jpg' }, { uri: 'b.jpg' }])).json.added, 1);

  assert.equal((await ask('POST', '/v1/runs/r/pause')).json.paused, 'by request');
  assert.equal((await ask('POST', '/v1/runs/r/resume')).json.paused, undefined);
  const acted = await ask('POST', '/v1/actions', { action: 'cancel', runs: ['r', 'none'] });
  assert.deepEqual(
    acted.json.results.map(({ run, error }: { run: string; error?: string }) => [run, error !== undefined]),
    [
      ['r', false],
      ['none', true],
    ],
  );
  assert.equal((await ask('GET', '/v1/runs/r')).json.skipped, 2);
});

test('a stored label set is found by its id, and equal sets have one', async (t) => {
  const { ask } = await startGateway(await startFleet(t));
  const { id } = (await ask('POST', '/v1/label-sets', { ...labelSet, topK: 4 })).json;
  assert.equal((await ask('POST', '/v1/label-sets', labelSet)).json.id, id);
  const set = (await ask('GET', `/v1/label-sets/${id}`)).json;
  assert.deepEqual(
    set.labels.map(({ label }: { label: string }) => label),
    labelSet.labels,
  );
});
