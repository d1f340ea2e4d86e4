// Checkpoints by their own names, in the layouts in which people publish them, from a Hub of our own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { demoModel, type Fleet, jsonLines, pictures, repository } from '../../support/fleet.ts';
import { demoDir, hubFleet, modelFiles } from '../../support/hubFleet.ts';
import { splitIntoShards } from '../../support/shards.ts';
import { until } from '../../support/support.ts';

interface Line {
  model: string;
  predictions: { label: string; score: number }[];
}

/** The model that Hugging Face's guide to zero-shot image classification names. */
const guide = 'openai/clip-vit-large-patch14';
const owl = join(pictures, 'owl.jpg');
const labels = 'fox,bear,owl,cat';

const label = (fleet: Fleet, model: string) =>
  fleet.run('label', owl, '--labels', labels, '--model', model, '--output', '-');

type Files = Record<string, Buffer>;

/** What stands in such repositories besides, and is not needed. */
const others = (): Files =>
  Object.fromEntries(
    ['README.md', 'pytorch_model.bin', 'tf_model.h5', 'flax_model.msgpack', 'vocab.json', 'merges.txt'].map(
      (name) => [name, Buffer.from(`not needed: ${name}`)],
    ),
  );

const checkpoint = () => modelFiles(demoDir, ['model.safetensors']);

/** Three ways in which fine-tuned models are published, and what makes each of the guide's. */
const layouts: Record<string, (files: Files) => void> = {
  'fashion-org/fashion-clip': (files) => {
    Object.assign(files, splitIntoShards(files['model.safetensors']!, 3));
    delete files['model.safetensors'];
  },
  'medical.org/clip-ct_v2': (files) => {
    const image_processor = JSON.parse(files['preprocessor_config.json']!.toString());
    files['processor_config.json'] = Buffer.from(JSON.stringify({ image_processor }));
    delete files['preprocessor_config.json'];
    delete files['tokenizer_config.json'];
    delete files['special_tokens_map.json'];
  },
  'species-lab/bird-clip': (files) => {
    const { model, added_tokens } = JSON.parse(files['tokenizer.json']!.toString()) as {
      model: { vocab: Record<string, number>; merges: (string | string[])[] };
      added_tokens: { id: number; content: string }[];
    };
    const marks = Object.fromEntries(added_tokens.map(({ id, content }) => [content, id]));
    const merges = model.merges.map((pair) => (typeof pair === 'string' ? pair : pair.join(' ')));
    files['vocab.json'] = Buffer.from(JSON.stringify({ ...model.vocab, ...marks }));
    files['merges.txt'] = Buffer.from(['#version: 0.2', ...merges, ''].join('\n'));
    delete files['tokenizer.json'];
  },
};

test('the guide’s checkpoint is labeled with by its name: only what is needed is downloaded, and it is said before', async (t) => {
  const files = { ...(await checkpoint()), ...others() };
  const { fleet, hub } = await hubFleet(t, files, guide);
  const { code, stdout, stderr } = await label(fleet, guide);
  assert.equal(code, 0, stderr);
  const [line] = jsonLines<Line>(stdout);
  assert.equal(line!.model, `${guide}@${hub.commit}:fp32`);
  const local = jsonLines<Line>((await label(fleet, demoModel)).stdout)[0]!;
  assert.deepEqual(line!.predictions, local.predictions);
  for (const name of Object.keys(others())) assert.equal(hub.seenFor(name).length, 0, name);
  const bytes = Object.values(await checkpoint()).reduce((sum, { length }) => sum + length, 0);
  assert.match(stderr, new RegExp(`^To be downloaded: 6 files, ${(bytes / 1e6).toFixed(1)} MB\n`));
});

for (const [name, change] of Object.entries(layouts)) {
  test(`${name}: a fine-tuned model in its layout gives the same labels`, async (t) => {
    const files = { ...others(), ...(await checkpoint()) };
    change(files);
    const { fleet } = await hubFleet(t, files, name);
    const { code, stdout, stderr } = await label(fleet, name);
    assert.equal(code, 0, stderr);
    const local = jsonLines<Line>((await label(fleet, demoModel)).stdout)[0]!;
    assert.deepEqual(jsonLines<Line>(stdout)[0]!.predictions, local.predictions);
  });
}

test('a download of weights that breaks off goes on where it was, in the next command', async (t) => {
  const { fleet, hub } = await hubFleet(t, await checkpoint(), guide);
  hub.intercept = (request, response, path, body) => {
    if (path !== 'model.safetensors') return false;
    if (request.headers.range === undefined) {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body.subarray(0, 4_000_000), () => response.socket?.destroy());
    } else response.socket?.destroy();
    return true;
  };
  const broken = await label(fleet, guide);
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /HUB_UNAVAILABLE/);
  hub.intercept = () => false;
  hub.seen.length = 0;
  const again = await label(fleet, guide);
  assert.equal(again.code, 0, again.stderr);
  const ranges = hub
    .seenFor('model.safetensors')
    .map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]));
  assert.equal(ranges.length, 1);
  assert.ok(ranges[0]! > 0, `asked from byte ${ranges[0]} on`);
  assert.equal(jsonLines<Line>(again.stdout)[0]!.predictions[0]!.label, 'owl');
});

test('worker and createClassifier take the guide’s name as well', async (t) => {
  const { fleet } = await hubFleet(t, await checkpoint(), guide);
  const worker = fleet.start('worker', '--model', guide, '--root', pictures, '--log-level', 'info');
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
  const enqueued = await fleet.run('enqueue', owl, '--root', pictures, '--labels', labels, '--model', guide);
  assert.equal(enqueued.code, 0, enqueued.stderr);
  const run = enqueued.stdout.trim();
  await until(async () => (await fleet.producer.runs.get(run))?.state === 'complete', 'the run is complete');
  const { value: row } = await fleet.producer.rows(run).next();
  assert.ok(row?.status === 'classified', JSON.stringify(row));
  assert.equal(row.predictions[0]?.label, 'owl');
  worker.child.kill('SIGTERM');
  assert.equal((await worker.ended).code, 0);

  // The examples that follow the guide, with the guide's name.
  const env = { ...process.env, ...fleet.env };
  for (const name of ['pipeline', 'by-hand']) {
    const example = (model: string[]) =>
      promisify(execFile)('node', [`dist/examples/${name}.js`, ...model], { env, cwd: repository });
    assert.equal((await example([guide])).stdout, (await example([])).stdout, name);
  }

  const module = new URL('../../../src/classifier.js', import.meta.url);
  const script = `const { createClassifier } = await import(${JSON.stringify(module)});
const classifier = await createClassifier({ model: ${JSON.stringify(guide)} });
const [best] = await classifier.classify(${JSON.stringify(owl)}, ${JSON.stringify(labels.split(','))});
process.stdout.write(best.label);
await classifier.close();`;
  const classified = await promisify(execFile)('node', ['--input-type=module', '-e', script], {
    env,
    cwd: repository,
  });
  assert.equal(classified.stdout, 'owl');
});
