import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { checkpointModel } from '../../support/checkpointGoldens.ts';
import { demoModel, jsonLines, repository, startFleet } from '../../support/fleet.ts';
import { exportedModel } from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

interface Check {
  name: string;
  ok: boolean;
  detail: string;
}

interface Reference {
  madeBy: string;
  images: { file: string; embedding: string }[];
  texts: { text: string; embedding: string }[];
}

/** A copy of the demo model whose file `name` is what `change` makes of its JSON. */
async function changedDemo<T>(t: TestContext, name: string, change: (json: T) => void): Promise<string> {
  const dir = join(await temporaryFolder(t), 'demo');
  await cp(demoModel, dir, { recursive: true, filter: (path) => !path.endsWith('training') });
  const json = JSON.parse(await readFile(join(dir, name), 'utf8')) as T;
  change(json);
  await writeFile(join(dir, name), JSON.stringify(json));
  return dir;
}

/** The exit code, and the checks by their names. */
async function verify(t: TestContext, model: string) {
  const fleet = await startFleet(t);
  const { code, stdout, stderr } = await fleet.run('verify', '--model', model, '--format', 'jsonl');
  assert.equal(stderr, '');
  return {
    code,
    checks: new Map(jsonLines<Check & Record<string, unknown>>(stdout).map((check) => [check.name, check])),
  };
}

const failed = ({ checks }: { checks: Map<string, Check> }) =>
  [...checks.values()].filter(({ ok }) => !ok).map(({ name }) => name);

test('the demo model agrees with the reference, and says whose vectors those are', async (t) => {
  const fleet = await startFleet(t);
  const { code, stdout, stderr } = await fleet.run('verify', '--model', demoModel);
  assert.equal(code, 0, stderr);
  const [identity, ...lines] = stdout.trim().split('\n');
  assert.match(identity!, /^demo@[0-9a-f]{12}:fp32$/);
  for (const line of lines) assert.match(line, /^ok +/);
  for (const name of ['unit vectors', 'batch size', 'tokenizer', 'logit scale', 'preprocessing'])
    assert.match(stdout, new RegExp(`^ok +${name} `, 'm'));
  const reference = JSON.parse(await readFile(join(demoModel, 'reference.json'), 'utf8')) as Reference;
  assert.match(reference.madeBy, /transformers \d.*torch \d.*Pillow \d/);
  for (const what of ['images', 'texts'] as const) {
    const line = lines.find((each) => each.includes(`reference ${what}`));
    assert.ok(line?.includes(`of ${reference[what].length} to ${reference.madeBy}`), line);
  }
});

test('a vector that is another image’s fails, and with it the command', async (t) => {
  const dir = await changedDemo<Reference>(t, 'reference.json', ({ images }) => {
    images[0]!.embedding = images[1]!.embedding;
  });
  const verified = await verify(t, dir);
  assert.equal(verified.code, 2);
  assert.deepEqual(failed(verified), ['reference images']);
});

test('a text’s vector that is another’s fails, and the table says so', async (t) => {
  const dir = await changedDemo<Reference>(t, 'reference.json', ({ texts }) => {
    texts[0]!.embedding = texts[1]!.embedding;
  });
  const fleet = await startFleet(t);
  const { code, stdout } = await fleet.run('verify', '--model', dir);
  assert.equal(code, 2);
  assert.match(stdout, /^FAILED +reference texts /m);
  assert.match(stdout, /^ok +reference images /m);
});

test('pixels that are made otherwise fail against the reference', async (t) => {
  const changes: Record<string, unknown>[] = [
    { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] },
    { size: { shortest_edge: 72 } },
    { do_normalize: false },
  ];
  for (const change of changes) {
    const dir = await changedDemo<object>(t, 'preprocessor_config.json', (json) =>
      Object.assign(json, change),
    );
    const verified = await verify(t, dir);
    assert.deepEqual([verified.code, ...failed(verified)], [2, 'reference images'], JSON.stringify(change));
  }
});

test('a tokenizer that reads otherwise fails against the reference', async (t) => {
  const dir = await changedDemo<{ model: { merges: unknown[] } }>(t, 'tokenizer.json', ({ model }) => {
    model.merges.splice(0, model.merges.length / 2);
  });
  const verified = await verify(t, dir);
  assert.equal(verified.code, 2);
  assert.deepEqual(failed(verified), ['reference texts']);
});

for (const name of ['clip', 'siglip', 'chinese-clip']) {
  test(`${name}: a model without reference vectors is checked against itself`, async (t) => {
    const verified = await verify(t, join(repository, 'test/golden/models', name));
    assert.deepEqual([verified.code, ...failed(verified)], [0]);
    const detailOf = (check: string) => verified.checks.get(check)?.detail ?? '';
    assert.match(detailOf('reference vectors'), /none/);
    assert.match(detailOf('logit scale'), /solved from the joint graph/);
    assert.match(detailOf('unit vectors'), /\d dimensions/);
    assert.match(detailOf('batch size'), /batch 32 differ by at most/);
  });
}

test('an export beside its checkpoint is compared with the towers built from it', async (t) => {
  const dir = await checkpointModel(t, 'clip');
  await cp(join(exportedModel, 'onnx'), join(dir, 'onnx'), { recursive: true });
  const verified = await verify(t, dir);
  assert.deepEqual([verified.code, ...failed(verified)], [0]);
  assert.match(
    verified.checks.get('checkpoint')!.detail,
    /at most \d\.\de[-+]\d+ in images, \d\.\de[-+]\d+ in texts/,
  );

  // Another layer's bias: the export is not of this checkpoint.
  const weights = join(dir, 'model.safetensors');
  const bytes = await readFile(weights);
  for (let i = bytes.length - 40_000; i < bytes.length; i += 4)
    bytes.writeFloatLE(bytes.readFloatLE(i) * -1, i);
  await writeFile(weights, bytes);
  const other = await verify(t, dir);
  assert.equal(other.code, 2);
  assert.deepEqual(failed(other), ['checkpoint']);
});
