import assert from 'node:assert/strict';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openGraph, tensorOf } from '../../../src/worker/onnx/graph.ts';
import { graphOverFile } from '../../../src/worker/onnx/graphOverFile.ts';
import { largestDifference } from '../../support/goldens.ts';
import { exportedGraph, withExternalData } from '../../support/graphs.ts';
import { temporaryFolder } from '../../support/support.ts';

const how = { providers: ['cpu'], threads: 1 };
const pixels = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => ((i * 37) % 251) / 251 - 0.5);

async function run(graph: Parameters<typeof openGraph>[0]): Promise<Float32Array> {
  const session = await openGraph(graph, how);
  const outputs = await session.run({ pixel_values: tensorOf('float32', pixels, [1, 3, 32, 32]) });
  await session.release();
  return outputs.image_embeds!.data as Float32Array;
}

test('large constants stay in the graph’s own file, and the answers are the file’s', async (t) => {
  const path = join(await temporaryFolder(t), 'model.onnx');
  const bytes = await exportedGraph('vision_model.onnx');
  await writeFile(path, bytes);
  const { locations, ...graph } = await graphOverFile(path);
  assert.deepEqual(locations, []);
  assert.ok(graph.graph.length < bytes.length / 2, `${graph.graph.length} of ${bytes.length} bytes`);
  assert.equal(largestDifference(await run({ name: 'a test', ...graph }), await run(path)), 0);
});

test('weights in another file are found behind links, as in the Hub’s cache', async (t) => {
  const folder = await temporaryFolder(t);
  for (const name of ['blobs', 'onnx']) await mkdir(join(folder, name));
  const whole = await exportedGraph('vision_model.onnx');
  const { graph, data } = withExternalData(whole, 'weights.bin');
  await writeFile(join(folder, 'whole.onnx'), whole);
  for (const [name, bytes] of Object.entries({ 'model.onnx': graph, 'weights.bin': data })) {
    await writeFile(join(folder, 'blobs', `blob-of-${name}`), bytes);
    await symlink(join(folder, 'blobs', `blob-of-${name}`), join(folder, 'onnx', name));
  }
  const path = join(folder, 'onnx/model.onnx');
  const { locations, ...over } = await graphOverFile(path);
  assert.deepEqual(locations, ['weights.bin']);
  const theirs = await run(join(folder, 'whole.onnx'));
  assert.equal(largestDifference(await run({ name: 'a test', ...over }), theirs), 0);

  await rename(join(folder, 'blobs/blob-of-weights.bin'), join(folder, 'blobs/away'));
  await assert.rejects(graphOverFile(path), { code: 'ENOENT' });
});

test('a file that is no graph, or breaks off, is none', async (t) => {
  const path = join(await temporaryFolder(t), 'model.onnx');
  const bytes = await exportedGraph('vision_model.onnx');
  for (const [what, content] of [
    ['text', Buffer.from('version https://git-lfs.github.com/spec/v1')],
    ['nothing', Buffer.alloc(0)],
    ['the first half', bytes.subarray(0, bytes.length / 2)],
  ] as const) {
    await writeFile(path, content);
    await assert.rejects(graphOverFile(path), RangeError, what);
  }
});
