import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { findModel, startModel } from '../../../src/worker/model/loadModel.ts';
import { type Fleet, jsonLines, repository } from '../../support/fleet.ts';
import { readGolden } from '../../support/goldens.ts';
import { demoDir, hubFleet, modelFiles, siglipDir, towers } from '../../support/hubFleet.ts';
import { type HubServer, startHub } from '../../support/hubServer.ts';
import { temporaryFolder } from '../../support/support.ts';

interface Line {
  predictions: { label: string; score: number }[];
}

const labels = ['cat', 'dog', 'red car', 'tree', 'the sea at night'];

const labelPhoto = (fleet: Fleet, { name }: HubServer, ...more: string[]) => {
  const photo = join(repository, 'test/golden/images/photo.png');
  return fleet.run('label', photo, '--labels', labels.join(), '--model', name, '--output', '-', ...more);
};

test('towers alone take the scale from the checkpoint on the Hub, by ranges', async (t) => {
  const files = await modelFiles(demoDir, [...towers, 'model.safetensors']);
  const { fleet, hub } = await hubFleet(t, files);
  const scored = ['--score-function', 'logit'];
  const online = await labelPhoto(fleet, hub, ...scored);
  assert.equal(online.code, 0, online.stderr);

  const ranges = hub.seenFor('model.safetensors').map(({ range }) => /^bytes=(\d+)-(\d+)$/.exec(range ?? ''));
  assert.ok(ranges.length > 0);
  let bytes = 0;
  for (const range of ranges) {
    assert.ok(range, 'every request names a range');
    bytes += Number(range[2]) - Number(range[1]) + 1;
  }
  const whole = files['model.safetensors']!.length;
  assert.ok(bytes < whole / 50, `${bytes} of ${whole} bytes`);

  // The directory has the checkpoint beside its graphs: the same scale gives the same logits.
  const local = await labelPhoto(fleet, { ...hub, name: join(repository, demoDir) }, ...scored);
  const predictions = jsonLines<Line>(online.stdout)[0]!.predictions;
  assert.deepEqual(predictions, jsonLines<Line>(local.stdout)[0]!.predictions);

  hub.seen.length = 0;
  fleet.env.HF_HUB_OFFLINE = '1';
  const offline = await labelPhoto(fleet, hub, ...scored);
  assert.equal(offline.code, 0, offline.stderr);
  assert.deepEqual(jsonLines<Line>(offline.stdout)[0]!.predictions, predictions, 'the scale was kept');
  assert.deepEqual(hub.seen, []);
});

test('the scale is kept under the cache folder that is given, or that the given environment has', async (t) => {
  const files = await modelFiles(demoDir, [...towers, 'model.safetensors']);
  const hub = await startHub(t, files);
  const folder = await temporaryFolder(t);
  const env = {
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_CACHE: join(folder, 'hub'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    NO_PROXY: '127.0.0.1',
  };
  const found = await findModel({ model: hub.name, revision: 'main', dtype: 'fp32' }, { env });
  const start = async (config: { cacheDir?: string }) => {
    const { session } = await startModel(found, { device: 'cpu', threads: 1, ...config }, { env });
    await session.close();
  };
  const kept = [`${hub.name.replace('/', '--')}@${found.hub?.commit}.json`];
  await start({});
  assert.deepEqual(await readdir(join(folder, 'cache/clipfleet/scales')), kept);
  await start({ cacheDir: join(folder, 'mine') });
  assert.deepEqual(await readdir(join(folder, 'mine/scales')), kept);
});

test('without a checkpoint the joint graph is brought and solved, once', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(siglipDir, [...towers, 'onnx/model.onnx']));
  const online = await labelPhoto(fleet, hub);
  assert.equal(online.code, 0, online.stderr);
  assert.equal(hub.seenFor('onnx/model.onnx').length, 1);
  const { results } = (await readGolden('siglip')).labelSets[0]!;
  const scores = jsonLines<Line>(online.stdout)[0]!.predictions.map(({ score }) => score);
  assert.ok(results.some((each) => Math.abs(Math.max(...each.scores) - scores[0]!) < 0.05));

  hub.seen.length = 0;
  fleet.env.HF_HUB_OFFLINE = '1';
  assert.equal(
    (await labelPhoto(fleet, hub)).stdout.replace(/"run":.*?,|"at":.*?,/g, ''),
    online.stdout.replace(/"run":.*?,|"at":.*?,/g, ''),
  );
  assert.deepEqual(hub.seen, []);
});

test('a SigLIP whose scale nobody tells is refused with the remedy', async (t) => {
  const { fleet, hub } = await hubFleet(t, await modelFiles(siglipDir, towers));
  const { code, stdout, stderr } = await labelPhoto(fleet, hub);
  assert.deepEqual([code, stdout], [1, '']);
  assert.match(stderr, /^clipfleet: MODEL_SCALE_UNKNOWN: .*--logit-scale .*--logit-bias/m);
});

test('a SigLIP whose scale the user tells has the scores of the reference', async (t) => {
  const golden = await readGolden('siglip');
  const { fleet, hub } = await hubFleet(t, await modelFiles(siglipDir, towers));
  const given = ['--logit-scale', `${golden.logitScale}`, '--logit-bias', `${golden.logitBias}`];
  const { code, stdout, stderr } = await labelPhoto(fleet, hub, ...given);
  assert.equal(code, 0, stderr);
  const image = golden.images.findIndex(({ file }) => file === 'photo.png');
  const set = golden.labelSets.find(({ name }) => name === 'plain')!;
  assert.deepEqual(set.labels, labels);
  for (const { label, score } of jsonLines<Line>(stdout)[0]!.predictions) {
    const expected = set.results[image]!.scores[labels.indexOf(label)]!;
    assert.ok(Math.abs(score - expected) < 0.05, `${label}: ${score}, the reference ${expected}`);
  }
});
