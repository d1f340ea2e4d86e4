// One image over HTTP: what Hugging Face's clients send, uploads, and what is refused.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { demoModel, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const candidate_labels = ['fox', 'bear', 'owl'];

test('one image is labelled at once, from base64, a data URL and an upload alike', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel);
  const { ask, url } = await startGateway(fleet);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const bytes = await readFile(join(pictures, 'owl.jpg'));
  const base64 = bytes.toString('base64');
  const classify = (inputs: unknown, more = {}) =>
    ask('POST', '/v1/classify', { inputs, parameters: { candidate_labels, ...more } });

  const asBase64 = await classify(base64);
  assert.equal(asBase64.status, 200, asBase64.text);
  assert.equal(asBase64.json[0].label, 'owl');
  assert.deepEqual(
    asBase64.json.map(({ label }: { label: string }) => label).sort(),
    [...candidate_labels].sort(),
  );
  assert.deepEqual((await classify({ image: base64 })).json, asBase64.json);
  assert.deepEqual((await classify(`data:image/jpeg;base64,${base64}`)).json, asBase64.json);
  assert.deepEqual((await classify(base64, { candidate_labels: 'fox, bear,owl,owl' })).json, asBase64.json);
  assert.deepEqual((await classify(base64, { hypothesis_template: null })).json, asBase64.json);
  const sketch = await classify(base64, { hypothesis_template: 'a sketch of {}' });
  assert.notDeepEqual(sketch.json, asBase64.json);

  const form = new FormData();
  form.append('candidate_labels', 'fox,bear,owl');
  form.append('image', new Blob([bytes]), 'owl.jpg');
  const uploaded = await fetch(`${url}/v1/classify`, { method: 'POST', body: form });
  assert.deepEqual(await uploaded.json(), asBase64.json);

  const text = await classify(Buffer.from('not an image, but long enough for base64').toString('base64'));
  assert.deepEqual([text.status, text.json.code], [422, 'IMAGE_UNSUPPORTED']);
  const path = await classify('/etc/passwd');
  assert.deepEqual([path.status, path.json.code], [400, 'REQUEST_INVALID']);
  const inside = await classify('http://127.0.0.1:1/a.jpg');
  assert.deepEqual([inside.status, inside.json.code], [422, 'IMAGE_ADDRESS_BLOCKED']);
  const one = await classify(base64, { candidate_labels: ['fox'] });
  assert.deepEqual([one.status, one.json.code], [400, 'REQUEST_INVALID']);

  for (const type of ['application/json', 'multipart/form-data', 'multipart/form-data; boundary=x']) {
    const nothing = {
      method: 'POST',
      headers: { 'content-type': type },
      body: type.endsWith('json') ? undefined : 'x',
    };
    assert.equal((await fetch(`${url}/v1/classify`, nothing as RequestInit)).status, 400, type);
  }

  const many = await Promise.all(Array.from({ length: 40 }, () => classify(base64)));
  for (const answer of many) assert.deepEqual(answer.json, asBase64.json);
});

test('where nobody answers in time, and where too much waits, the client is told to come again', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const limits = ['--answer-timeout-ms', '500', '--interactive-waiting-max', '1'];
  const { ask } = await startGateway(fleet, ...limits);
  const { model } = (await ask('GET', '/v1/models')).json.models[0];
  worker.child.kill('SIGKILL');
  await worker.ended;
  const body = { inputs: 'data:,x', parameters: { candidate_labels, model } };
  const late = await ask('POST', '/v1/classify', body);
  assert.deepEqual([late.status, late.json.code], [503, 'ANSWER_TIMEOUT']);
  const full = await ask('POST', '/v1/classify', body);
  assert.deepEqual([full.status, full.json.code], [429, 'QUEUE_FULL']);
  assert.ok(full.headers.get('retry-after'));
});
