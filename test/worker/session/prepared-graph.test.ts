import assert from 'node:assert/strict';
import { appendFile, mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { readModelFiles } from '../../../src/worker/model/model.ts';
import { prepareGraph } from '../../../src/worker/session/preparedGraph.ts';
import { demoGraph, modelWith, withExternalData } from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

const vision = 'vision_model.onnx';

/** The demo's image tower with its weights in a file of their own. */
async function externalModel(t: TestContext, weights = `${vision}_data`): Promise<string> {
  const { graph, data } = withExternalData(await demoGraph(vision), weights);
  return modelWith(t, {
    [vision]: graph,
    [weights]: data,
    'text_model.onnx': await demoGraph('text_model.onnx'),
  });
}

async function prepare(dir: string, cacheDir: string, changes = {}): Promise<string> {
  const { hashes, preprocessing } = await readModelFiles({ dir, dtype: 'fp32' });
  const options = { hashes, cacheDir, preprocessing: { ...preprocessing, ...changes } };
  return (await prepareGraph(join(dir, 'onnx', vision), options))!;
}

test('a graph is made once for what it is made from, also by several at once', async (t) => {
  const [dir, cacheDir] = [await externalModel(t), await temporaryFolder(t)];
  const together = await Promise.all(Array.from({ length: 6 }, () => prepare(dir, cacheDir)));
  const [prepared] = together;
  assert.deepEqual(new Set(together), new Set([prepared]));
  assert.equal((await readdir(join(cacheDir, 'graphs'))).length, 1, 'nothing half made is left');
  const { hashes, preprocessing } = await readModelFiles({ dir, dtype: 'fp32' });
  const path = join(dir, 'onnx', vision);
  await rename(path, `${path}.away`);
  const again = await prepareGraph(path, { hashes, preprocessing, cacheDir });
  assert.equal(again, prepared, 'what is known is not read again');
  await rename(`${path}.away`, path);

  assert.notEqual(await prepare(dir, cacheDir, { rescaleFactor: 1 }), prepared, 'other preprocessing');
  await appendFile(join(dir, 'onnx', `${vision}_data`), 'more');
  assert.notEqual(await prepare(dir, cacheDir), prepared, 'other weights');
});

test('weights in a file of their own lie beside the graph, as one file with the model’s', async (t) => {
  const dir = await externalModel(t);
  // In the model's own file system, as links need it.
  const prepared = await prepare(dir, join(dir, 'cache'));
  const [theirs, ours] = await Promise.all(
    [join(dir, 'onnx'), join(prepared, '..')].map((folder) => stat(join(folder, `${vision}_data`))),
  );
  assert.equal(ours!.ino, theirs!.ino);
});

test('weights that the fingerprint does not know are refused, not guessed', async (t) => {
  const dir = await externalModel(t, 'weights.bin');
  await assert.rejects(prepare(dir, await temporaryFolder(t)), /weights\.bin are not named after the graph/);
});

test('what a crash left half made is not taken, and goes after a day', async (t) => {
  const [dir, cacheDir] = [await externalModel(t), await temporaryFolder(t)];
  const graphs = join(cacheDir, 'graphs');
  for (const name of ['old.part', 'new.part']) {
    await mkdir(join(graphs, name), { recursive: true });
    await writeFile(join(graphs, name, vision), 'half');
  }
  const twoDaysAgo = Date.now() / 1000 - 2 * 86_400;
  await utimes(join(graphs, 'old.part'), twoDaysAgo, twoDaysAgo);
  await prepare(dir, cacheDir);
  const left = await readdir(graphs);
  assert.equal(left.length, 2);
  assert.ok(left.includes('new.part'), 'somebody may be writing it');
});

test('a preparation that fails leaves nothing behind', async (t) => {
  const [dir, cacheDir] = [await externalModel(t), await temporaryFolder(t)];
  const { hashes, preprocessing } = await readModelFiles({ dir, dtype: 'fp32' });
  await rm(join(dir, 'onnx', `${vision}_data`));
  const path = join(dir, 'onnx', vision);
  await assert.rejects(prepareGraph(path, { hashes, preprocessing, cacheDir }), { code: 'ENOENT' });
  assert.deepEqual(await readdir(join(cacheDir, 'graphs')), []);
});
