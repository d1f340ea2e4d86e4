import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { laneName } from '../../../src/shared/fleet/lanes.ts';
import { findModel } from '../../../src/worker/model/loadModel.ts';
import {
  copyPictures,
  demoModel,
  type Fleet,
  jsonLines,
  type Running,
  startFleet,
} from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const [labelCount, promptsARun] = [1_000, 16];

/** What a worker's log says of text batches and of image batches so far. */
function batchesOf(worker: Running): { texts: number[]; images: number } {
  const whole = worker.text().stderr.split('\n').slice(0, -1);
  const lines = jsonLines<{ msg: string; prompts: number; images: number }>(
    whole.filter((line) => line.startsWith('{')).join('\n'),
  );
  const of = (msg: string) => lines.filter((line) => line.msg === msg);
  return {
    texts: of('text batch').map(({ prompts }) => prompts),
    images: of('batch').reduce((sum, { images }) => sum + images, 0),
  };
}

async function startWorkers(fleet: Fleet, count: number): Promise<Running[]> {
  // Few images in flight, so that each worker takes some jobs while the labels are encoded, and none takes them all.
  const shares = ['--images-in-flight', '8', '--lock-ms', '1000', '--threads', '1'];
  const args = ['--model', demoModel, '--log-level', 'debug', ...shares];
  const workers = Array.from({ length: count }, () => fleet.start('worker', ...args));
  const ready = () => workers.every((worker) => worker.text().stderr.includes('worker ready'));
  await until(ready, 'the workers are ready', 60_000);
  return workers;
}

async function enqueue(fleet: Fleet): Promise<string> {
  const args = ['--labels-file', 'labels.txt', '--model', demoModel, '--chunk-size', '1'];
  const { code, stdout, stderr } = await fleet.run('enqueue', 'many', ...args);
  assert.equal(code, 0, stderr);
  return stdout.trim();
}

async function openFleet(t: TestContext): Promise<Fleet> {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 60);
  const labels = Array.from({ length: labelCount }, (_, i) => `thing ${i}`);
  await writeFile(join(fleet.folder, 'labels.txt'), labels.join('\n'));
  return fleet;
}

function untilComplete({ producer }: Fleet, run: string): Promise<unknown> {
  const isComplete = async () => (await producer.runs.get(run))?.state === 'complete';
  return until(isComplete, `${run} is complete`, 90_000);
}

const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0);

test('workers that need new labels at the same time encode them once, and one that starts later not at all', {
  timeout: 180_000,
}, async (t) => {
  const fleet = await openFleet(t);
  const workers = await startWorkers(fleet, 3);
  await untilComplete(fleet, await enqueue(fleet));
  const batches = workers.map(batchesOf);
  for (const { images } of batches) assert.ok(images > 0, 'each worker needed the labels');
  const texts = batches.flatMap((worker) => worker.texts);
  assert.equal(sum(texts), labelCount);
  assert.equal(texts.length, Math.ceil(labelCount / promptsARun));
  for (const { child } of workers) child.kill('SIGTERM');
  for (const { ended } of workers) assert.equal((await ended).code, 0);

  const [restarted] = await startWorkers(fleet, 1);
  await untilComplete(fleet, await enqueue(fleet));
  assert.deepEqual(batchesOf(restarted!), { texts: [], images: 60 });
});

/** A process that encodes the labels of the run, as a worker of the demo model does, until it is killed. */
async function startEncoder(fleet: Fleet, t: TestContext, run: string): Promise<ChildProcess> {
  const { fingerprint } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
  const { labelSet } = (await fleet.producer.runs.get(run))!;
  const socket = fleet.redis.options.path!;
  const file = new URL('../../support/encoder-process.js', import.meta.url);
  const encoder = fork(file, [socket, fingerprint, labelSet, '1000']);
  t.after(() => encoder.kill('SIGKILL'));
  await once(encoder, 'message');
  return encoder;
}

test('who is killed while it encodes is replaced when its lease has run out', {
  timeout: 180_000,
}, async (t) => {
  const fleet = await openFleet(t);
  const run = await enqueue(fleet);
  const encoder = await startEncoder(fleet, t, run);
  const [worker] = await startWorkers(fleet, 1);
  const { model } = (await fleet.producer.runs.get(run))!;
  const delayed = `clipfleet:${laneName('bulk', model)}:delayed`;
  await until(async () => (await fleet.redis.zcard(delayed)) > 0, 'jobs wait for the labels');
  assert.deepEqual(batchesOf(worker!), { texts: [], images: 0 });
  encoder.kill('SIGKILL');
  await untilComplete(fleet, run);
  assert.equal(sum(batchesOf(worker!).texts), labelCount);
  assert.deepEqual(await fleet.producer.store.counts(run), { classified: 60, failed: 0, failures: {} });
});
