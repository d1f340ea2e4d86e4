// What a worker tells Prometheus.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Row } from '../../../src/shared/rows/row.ts';
import { createWorkerMetrics } from '../../../src/worker/telemetry/workerMetrics.ts';

const about = { model: 'demo@1:fp32', device: 'cpu', version: '1.2.3' };
const inside = { fetch: 3, decode: 2, wait: 0, inference: 16, score: 0, store: 0 };
const place = { generation: 0, place: { chunk: 0, index: 0 }, at: 0 };
const failed = {
  ...{ id: 'b', uri: 'b', ...place, status: 'failed' },
  error: { code: 'IMAGE_CORRUPT', message: 'It ends too early.' },
} as unknown as Row;
const classified = { id: 'a', uri: 'a', ...place, status: 'classified' } as unknown as Row;

test('rows are counted by status and code, stages and batches as histograms', async () => {
  const metrics = createWorkerMetrics(about, 16, () => ({ inside, ready: true }));
  const check = { ...failed, uri: 'data:,' };
  metrics.onRows([classified, failed, check, classified]);
  metrics.onStage('inference', 40, 16);
  metrics.onBatch(16);
  const { type, body } = await metrics.text();
  assert.match(type, /^text\/plain/);
  for (const line of [
    'clipfleet_images_total{status="classified",code=""} 2',
    'clipfleet_images_total{status="failed",code="IMAGE_CORRUPT"} 1',
    'clipfleet_stage_duration_seconds_count{stage="inference"} 16',
    'clipfleet_stage_duration_seconds_bucket{le="0.05",stage="inference"} 16',
    'clipfleet_stage_duration_seconds_bucket{le="0.025",stage="inference"} 0',
    'clipfleet_batch_images_bucket{le="16"} 1',
    'clipfleet_batch_images_bucket{le="8"} 0',
    'clipfleet_batch_size 16',
    'clipfleet_stage_images{stage="inference"} 16',
    'clipfleet_worker_ready 1',
    'clipfleet_model_info{model="demo@1:fp32",device="cpu",version="1.2.3"} 1',
  ])
    assert.ok(body.split('\n').includes(line), line);
  assert.match(body, /^nodejs_eventloop_lag_p99_seconds /m);
});

test('before the worker has started it is not ready, and what can be counted begins at 0', async () => {
  const { body } = await createWorkerMetrics(about, 16, () => undefined).text();
  const lines = body.split('\n');
  for (const line of [
    'clipfleet_worker_ready 0',
    'clipfleet_images_total{status="classified",code=""} 0',
    'clipfleet_stage_duration_seconds_count{stage="store"} 0',
    'clipfleet_stage_images{stage="decode"} 0',
  ])
    assert.ok(lines.includes(line), line);
});
