// A session that hangs in native code, brought about by a graph that multiplies ever larger matrices for images that are not black.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import sharp from 'sharp';
import { dataType } from '../../src/worker/onnx/onnxProto.ts';
import { startFleet } from '../support/fleet.ts';
import { modelWith, slowForBrightImages, smallTextTower } from '../support/graphs.ts';
import { until } from '../support/support.ts';

test('a worker whose session hangs says so, gives its jobs back without an attempt, and ends with code 1', async (t) => {
  const fleet = await startFleet(t);
  const text = smallTextTower(dataType.float);
  const dir = await modelWith(t, { 'vision_model.onnx': slowForBrightImages(), 'text_model.onnx': text });
  const white = { create: { width: 64, height: 64, channels: 3, background: '#fff' } } as const;
  await writeFile(join(fleet.folder, 'white.png'), await sharp(white).png().toBuffer());

  const model = ['--model', dir];
  const limits = ['--logit-scale', '100', '--inference-timeout-ms', '1000', '--batch-size', '1'];
  const worker = fleet.start('worker', ...model, ...limits);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker takes jobs');
  const enqueued = await fleet.run('enqueue', 'white.png', ...model, '--labels', 'owl,car');
  const run = enqueued.stdout.trim();
  const { code, stderr } = await worker.ended;
  assert.deepEqual([code, worker.child.signalCode], [1, null], stderr);
  assert.match(stderr, /The session thread has not answered for 1 s: it hangs/);

  const { lane: name } = (await fleet.producer.runs.get(run))!;
  const lane = new Queue(name, { connection: fleet.redis, prefix: 'clipfleet' });
  t.after(() => lane.close());
  const [job] = await lane.getDelayed();
  assert.deepEqual([job?.attemptsMade, (await fleet.rows(run)).length], [0, 0]);
});
