import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkpointFolder } from '../../support/checkpointGoldens.ts';
import { type Fleet, jsonLines, pictures } from '../../support/fleet.ts';
import { clipDir, demoDir, hubFleet, modelFiles, towers } from '../../support/hubFleet.ts';
import type { HubServer } from '../../support/hubServer.ts';

interface Line {
  id: string;
  model: string;
  predictions: { label: string }[];
}

const owl = join(pictures, 'owl.jpg');

const labelWith = (fleet: Fleet, { name }: Pick<HubServer, 'name'>, paths: string[], ...more: string[]) =>
  fleet.run('label', ...paths, '--labels', 'fox,bear,owl,cat', '--model', name, '--output', '-', ...more);

test('a model of the Hub is downloaded, shown, and labels right under its commit', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(demoDir, ['model.safetensors']));
  const paths = ['owl.jpg', 'bear.png', 'cat.webp'].map((name) => join(pictures, name));
  const { code, stdout, stderr } = await labelWith(fleet, hub, paths);
  assert.equal(code, 0, stderr);
  for (const { id, model, predictions } of jsonLines<Line>(stdout)) {
    assert.equal(model, `${hub.name}@${hub.commit}:fp32`);
    assert.ok(id.includes(predictions[0]!.label), `${id} is labeled ${predictions[0]!.label}`);
  }
  assert.match(stderr, /^To be downloaded: 6 files, 10\.0 MB\nDownloading config\.json/m);
  assert.match(stderr, /^Downloading model\.safetensors, 9\.9 MB\nDownloaded model\.safetensors$/m);
});

test('what was downloaded once works without the Hub, and says what may be stale', async (t) => {
  const files = await modelFiles(demoDir, ['model.safetensors']);
  const { fleet, hub } = await hubFleet(t, files);
  const first = await labelWith(fleet, hub, [owl]);
  const predictionsOf = ({ stdout }: { stdout: string }) => jsonLines<Line>(stdout)[0]?.predictions;
  hub.seen.length = 0;
  fleet.env.HF_HUB_OFFLINE = '1';
  const offline = await labelWith(fleet, hub, [owl]);
  assert.equal(offline.code, 0, offline.stderr);
  assert.doesNotMatch(offline.stderr, /Downloading|Warning/);
  assert.deepEqual(hub.seen, []);
  fleet.env.HF_HUB_OFFLINE = '';
  await hub.close();
  const unreachable = await labelWith(fleet, hub, [owl]);
  assert.equal(unreachable.code, 0, unreachable.stderr);
  assert.match(
    unreachable.stderr,
    new RegExp(`Warning: The Hub does not answer: ${hub.name} .*${hub.commit}`),
  );
  for (const again of [offline, unreachable]) assert.deepEqual(predictionsOf(again), predictionsOf(first));
});

test('a Hub that cannot be reached and an empty cache: exit 1, and the ways out', async (t) => {
  const { fleet, hub } = await hubFleet(t, {});
  await hub.close();
  const { code, stdout, stderr } = await labelWith(fleet, hub, [owl]);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^clipfleet: HUB_UNAVAILABLE: .*--model models\/demo.*local directory/m);
});

test('exported towers go before the checkpoint and the joint graph, which are left there', async (t) => {
  const files = await modelFiles(clipDir, [...towers, 'onnx/model.onnx']);
  files['model.safetensors'] = await readFile(join(checkpointFolder, 'clip/model.safetensors'));
  const { fleet, hub } = await hubFleet(t, files);
  const { code, stderr } = await labelWith(fleet, hub, [owl]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Downloaded onnx\/vision_model\.onnx$/m);
  assert.equal(hub.seenFor('onnx/model.onnx').length, 0);
  const ofCheckpoint = hub.seenFor('model.safetensors');
  assert.ok(
    ofCheckpoint.length > 0 && ofCheckpoint.every(({ range }) => range),
    'the scale is read by ranges',
  );
});

test('a repository with the joint graph alone works', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(clipDir, ['onnx/model.onnx']));
  const { code, stdout, stderr } = await labelWith(fleet, hub, [owl]);
  assert.equal(code, 0, stderr);
  assert.equal(jsonLines<Line>(stdout)[0]?.predictions.length, 4);
  assert.equal(hub.seenFor('onnx/model.onnx').length, 1);
});

test('a dtype that the repository lacks is refused with those it has', async (t) => {
  const files = await modelFiles(clipDir, towers);
  files['onnx/model_quantized.onnx'] = files['onnx/text_model.onnx']!;
  const { fleet, hub } = await hubFleet(t, files);
  const { code, stderr } = await labelWith(fleet, hub, [owl], '--dtype', 'fp16');
  assert.equal(code, 1);
  assert.match(stderr, /^clipfleet: MODEL_NOT_FOUND: .*dtype fp16.*it has fp32, q8\..*--dtype/m);
});

test('a revision that is not main is asked for by its name, and none is refused', async (t) => {
  const files = await modelFiles(demoDir, ['model.safetensors']);
  const { fleet, hub } = await hubFleet(t, files);
  const branch = await labelWith(fleet, hub, [owl], '--revision', 'refs/pr/1');
  assert.equal(branch.code, 0, branch.stderr);
  assert.equal(jsonLines<Line>(branch.stdout)[0]?.model, `${hub.name}@${hub.commit}:fp32`);
  const asked = hub.seen.filter(({ path }) => path.includes('/revision/')).map(({ path }) => path);
  assert.deepEqual(new Set(asked), new Set([`/api/models/${hub.name}/revision/refs/pr/1`]));
  const absent = await labelWith(fleet, hub, [owl], '--revision', 'no-such-branch');
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /^clipfleet: MODEL_NOT_FOUND: .*no-such-branch.*no such revision/m);
});
