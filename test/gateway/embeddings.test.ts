// Vectors of texts and images over HTTP, with OpenAI's own client for JavaScript.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import OpenAI from 'openai';
import { createClassifier } from '../../src/classifier.ts';
import { demoModel, pictures, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

const texts = ['fox', 'bear', 'owl'].map((label) => `This is a photo of ${label}.`);
const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

test('texts and images have the vectors that the library gives, and they are gone after a minute', async (t) => {
  const fleet = await startFleet(t);
  const worker = fleet.start('worker', '--model', demoModel);
  const { ask, url } = await startGateway(fleet);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker serves');
  const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
  const owl = await readFile(join(pictures, 'owl.jpg'));
  const image = `data:image/jpeg;base64,${owl.toString('base64')}`;

  // The client asks for base64 and gives numbers.
  const answer = await openai.embeddings.create({ model: 'demo', input: [...texts, image] });
  const vectors = answer.data.map(({ embedding }) => embedding);
  assert.equal(vectors.length, 4);
  for (const vector of vectors) assert.ok(Math.abs(dot(vector, vector) - 1) < 1e-5);
  const cosines = texts.map((_, i) => dot(vectors[3]!, vectors[i]!));

  const classifier = await createClassifier({ model: demoModel });
  t.after(() => classifier.close());
  const byLibrary = await classifier.classify(owl, ['fox', 'bear', 'owl'], { scoreFunction: 'cosine' });
  for (const { label, score } of byLibrary)
    assert.ok(Math.abs(cosines[texts.indexOf(`This is a photo of ${label}.`)]! - score) < 1e-5, label);

  const floats = await ask('POST', '/v1/embeddings', {
    input: [{ image: owl.toString('base64') }, { text: texts[0] }],
  });
  assert.equal(floats.status, 200, floats.text);
  floats.json.data.forEach(({ embedding, index }: { embedding: number[]; index: number }, i: number) => {
    assert.equal(index, i);
    const same = vectors[i === 0 ? 3 : 0]!;
    assert.ok(embedding.every((x, d) => Math.abs(x - same[d]!) < 1e-6));
  });

  const kept = await fleet.redis.keys('clipfleet:vectors:*');
  assert.ok(kept.length >= 3);
  for (const key of kept)
    assert.ok((await fleet.redis.pttl(key)) > 0 && (await fleet.redis.pttl(key)) <= 60_000);
  for (const key of await fleet.redis.keys('clipfleet:{matrix,labelset}:*'))
    assert.ok((await fleet.redis.pttl(key)) <= 120_000, key);

  const broken = openai.embeddings.create({ model: 'demo', input: [texts[0]!, 'data:,no image'] });
  await assert.rejects(broken, { status: 422, code: 'IMAGE_UNSUPPORTED' });
  const unknown = openai.embeddings.create({ model: 'none', input: texts });
  await assert.rejects(unknown, { status: 404 });
  for (const input of ['', [], ['x'.repeat(4_001)], [{ image: '/etc/passwd' }], [1]])
    assert.equal(
      (await ask('POST', '/v1/embeddings', { input })).status,
      400,
      JSON.stringify(input).slice(0, 50),
    );
});
