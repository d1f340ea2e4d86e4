import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { downloadModel } from '../../../src/worker/hub/hub.ts';
import { hubFileRange } from '../../../src/worker/hub/hubApi.ts';
import { hubScene } from '../../support/hubScene.ts';

test('offline takes the cache and sends no request', async (t) => {
  const { hub, options } = await hubScene(t);
  const online = await downloadModel(hub.name, options);
  hub.seen.length = 0;
  assert.deepEqual(await downloadModel(hub.name, { ...options, offline: true }), online);
  await assert.rejects(
    hubFileRange(hub.name, hub.commit, 'config.json', 0, 1, { ...options, offline: true }),
    { code: 'HUB_UNAVAILABLE', message: /offline/ },
  );
  assert.deepEqual(hub.seen, []);
});

test('offline without the model says that offline is on, and which dtypes are cached', async (t) => {
  const { hub, options } = await hubScene(t);
  const offline = { ...options, offline: true };
  await assert.rejects(downloadModel(hub.name, offline), {
    code: 'MODEL_NOT_FOUND',
    message: /not in the cache.*HF_HUB_OFFLINE.*models\/demo/,
  });
  await downloadModel(hub.name, { ...options, dtype: 'q8' });
  await assert.rejects(downloadModel(hub.name, offline), {
    code: 'MODEL_NOT_FOUND',
    message: /it has q8\..*HF_HUB_OFFLINE/,
  });
});

test('a Hub that cannot be reached: the cached revision, marked stale', async (t) => {
  const { hub, options } = await hubScene(t);
  const online = await downloadModel(hub.name, options);
  await hub.close();
  assert.deepEqual(await downloadModel(hub.name, options), { ...online, stale: true });
});

test('a Hub that cannot be reached and no cache: the ways out', async (t) => {
  const { hub, options, folder } = await hubScene(t);
  const { dir } = await downloadModel(hub.name, options);
  await rm(join(dir, 'onnx/text_model.onnx')); // As a download leaves it that was broken off.
  await hub.close();
  for (const cacheDir of [options.cacheDir, join(folder, 'empty')]) {
    await assert.rejects(downloadModel(hub.name, { ...options, cacheDir }), {
      code: 'HUB_UNAVAILABLE',
      message: /ECONNREFUSED.*models\/demo.*local directory.*HF_HUB_OFFLINE=1.*HF_ENDPOINT/,
    });
  }
});

test('a cache that cannot be written is named', async (t) => {
  const { hub, options, cacheDir } = await hubScene(t);
  // A file where the folder should be stops root as well.
  await writeFile(join(cacheDir, 'file'), '');
  await assert.rejects(downloadModel(hub.name, { ...options, cacheDir: join(cacheDir, 'file', 'hub') }), {
    code: 'CACHE_UNWRITABLE',
    message: /HF_HOME/,
  });
});
