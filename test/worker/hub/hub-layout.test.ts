import assert from 'node:assert/strict';
import { lstat, mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { downloadModel } from '../../../src/worker/hub/hub.ts';
import { hubScene, isWhole } from '../../support/hubScene.ts';
import { fakeRepository } from '../../support/hubServer.ts';

test('the cache has blobs by their hash, a ref, and relative links in the snapshot', async (t) => {
  const { hub, options, folder } = await hubScene(t);
  const model = await downloadModel(hub.name, options);

  const dir = join(folder, 'snapshots', hub.commit);
  assert.deepEqual(model, { dir, commit: hub.commit, name: hub.name, stale: false });
  assert.equal(await readFile(join(folder, 'refs', 'main'), 'utf8'), hub.commit);
  assert.equal(await readlink(join(dir, 'config.json')), join('..', '..', 'blobs', hub.etag('config.json')));
  const graph = 'onnx/vision_model.onnx';
  assert.equal(await readlink(join(dir, graph)), join('..', '..', '..', 'blobs', hub.etag(graph)));
  assert.ok(await isWhole(hub, dir, graph));
  assert.deepEqual((await readdir(join(dir, 'onnx'))).sort(), [
    'text_model.onnx',
    'vision_model.onnx',
    'vision_model.onnx_data',
  ]);
  const blobs = await readdir(join(folder, 'blobs'));
  assert.deepEqual(
    blobs.filter((blob) => !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(blob)),
    [],
  );
});

test('what is cached is not downloaded again, and a cached commit is not asked for', async (t) => {
  const { hub, options } = await hubScene(t);
  await downloadModel(hub.name, options);
  hub.seen.length = 0;
  await downloadModel(hub.name, options);
  assert.deepEqual(
    hub.seen.map(({ path }) => path.split('/').at(-2)),
    ['revision', 'tree'],
  );
  hub.seen.length = 0;
  await downloadModel(hub.name, { ...options, revision: hub.commit });
  assert.deepEqual(hub.seen, []);
});

test('a snapshot of plain files, as Python writes where links fail, is taken as it is', async (t) => {
  const { hub, options, folder } = await hubScene(t);
  const dir = join(folder, 'snapshots', hub.commit);
  await mkdir(join(dir, 'onnx'), { recursive: true });
  for (const [path, body] of Object.entries(fakeRepository())) await writeFile(join(dir, path), body);
  await downloadModel(hub.name, options);
  assert.equal(hub.seen.filter(({ path }) => path.startsWith('/bytes/')).length, 0);
  assert.ok((await lstat(join(dir, 'config.json'))).isFile());
});

test('a link whose blob was deleted is mended', async (t) => {
  const { hub, options, folder } = await hubScene(t);
  const { dir } = await downloadModel(hub.name, options);
  await rm(join(folder, 'blobs', hub.etag('onnx/text_model.onnx')));
  await downloadModel(hub.name, { ...options, revision: hub.commit });
  assert.ok(await isWhole(hub, dir, 'onnx/text_model.onnx'));
});

test('a revision of the form a/b becomes a ref in a folder, and one that would leave it is refused', async (t) => {
  const { hub, options, folder } = await hubScene(t);
  await downloadModel(hub.name, { ...options, revision: 'refs/pr/1' });
  assert.equal(await readFile(join(folder, 'refs/refs/pr/1'), 'utf8'), hub.commit);
  hub.seen.length = 0;
  for (const revision of ['../main', 'a/../b', '/etc', 'a//b', '.', '']) {
    await assert.rejects(downloadModel(hub.name, { ...options, revision }), { code: 'MODEL_NOT_FOUND' });
  }
  assert.deepEqual(hub.seen, []);
});
