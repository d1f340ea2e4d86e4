import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Queue } from 'bullmq';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { startFleet } from '../../support/fleet.ts';
import { reclaimHere } from '../../support/reclaimHere.ts';

test('what waits in a lane whose worker is gone is taken back, but for images that have their row', async (t) => {
  const fleet = await startFleet(t);
  const { producer, redis } = fleet;
  const about = { model: 'm@1:fp32', labelSet: defineLabelSet({ labels: ['a', 'b'] }), run: 'r' };
  const refs = Array.from({ length: 6 }, (_, i) => ({ id: `${i}`, uri: `${i}.jpg` }));
  const first = await producer.openRun({ ...about, privateLane: '{mine}' });
  await first.add(refs, { chunkSize: 2 });
  await first.close();
  // The worker was killed after it wrote the rows of one chunk and of half another, and before it finished either.
  const base = {
    uri: 'x.jpg',
    generation: 0,
    at: 1_767_225_600,
    predictions: [],
    fingerprint: 'f',
  };
  const rowOf = (id: string) => ({
    ...base,
    id,
    place: { chunk: 0, index: 0 },
    status: 'classified' as const,
  });
  await producer.store.putRows('r', ['0', '1', '2'].map(rowOf));
  await producer.runs.announce('r', 9, 5);

  const lane = new Queue('{mine}', { connection: redis, prefix: 'clipfleet' });
  await reclaimHere(fleet, lane);
  const { images, pending } = (await producer.runs.get('r'))!;
  assert.deepEqual({ images, pending }, { images: 3, pending: 0 });
  assert.equal(await lane.count(), 0);

  const again = await producer.openRun({ ...about, privateLane: '{mine}' });
  assert.equal(await again.add(refs), 3);
  assert.equal((await producer.runs.get('r'))?.images, 6);
  await again.close();
  await lane.close();
});
