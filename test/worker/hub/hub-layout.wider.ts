// The cache of the Hub that Python and Clipfleet share.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { downloadModel } from '../../../src/worker/hub/hub.ts';
import { hubScene } from '../../support/hubScene.ts';
import { venvPython } from '../../support/wider.ts';

const run = promisify(execFile);

test("Python's huggingface_hub finds our files, and we find those it downloads", async (t) => {
  const python = (script: string, env: Record<string, string>) =>
    run(venvPython(), ['-c', script], { env: { ...process.env, ...env } });
  const { hub, options, cacheDir } = await hubScene(t);
  const env = {
    HF_HUB_CACHE: cacheDir,
    HF_ENDPOINT: hub.endpoint,
    NAME: hub.name,
    HF_HUB_DISABLE_XET: '1',
    NO_PROXY: '*',
  };
  const model = await downloadModel(hub.name, options);
  const found = await python(
    `import os; from huggingface_hub import hf_hub_download as file, snapshot_download as whole
name = os.environ['NAME']
print(file(name, 'onnx/vision_model.onnx', local_files_only=True))
print(whole(name, local_files_only=True))`,
    env,
  );
  assert.deepEqual(found.stdout.trim().split('\n'), [join(model.dir, 'onnx/vision_model.onnx'), model.dir]);

  const patterns = "['*.json', 'onnx/*_quantized.onnx']";
  await python(
    `import os, huggingface_hub
huggingface_hub.snapshot_download(os.environ['NAME'], allow_patterns=${patterns})`,
    env,
  );
  await hub.close();
  const cached = await downloadModel(hub.name, { ...options, dtype: 'q8', offline: true });
  assert.equal(cached.dir, model.dir);
});
