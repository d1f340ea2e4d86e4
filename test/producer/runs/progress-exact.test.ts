import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readProgress } from '../../../src/producer/runs/runProgress.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createRedisResultsStore } from '../../../src/shared/rows/redisResultsStore.ts';
import type { Row } from '../../../src/shared/rows/row.ts';
import { createRuns } from '../../../src/shared/runs/runs.ts';
import { startFleet } from '../../support/fleet.ts';

const about = { run: 'r', model: 'm@1:fp32', labelSet: 'l', lane: '{bulk-m}' };

function rowOf(id: string): Row {
  const place = { chunk: 0, index: 0 };
  const base = { id, uri: id, generation: 0, place, at: 1_767_225_600 };
  return { ...base, status: 'classified', predictions: [], fingerprint: 'f' };
}

test('a chunk that is finished while the run is looked at is no duplicate, and no image is missing', async (t) => {
  const { redis } = await startFleet(t);
  const runs = createRuns(redis, keysUnder('test'));
  const store = createRedisResultsStore(redis, keysUnder('test'));
  await runs.open(about);
  await runs.announce('r', 0, 2);
  await runs.announce('r', 1, 3);
  // What a worker does between the moment the rows are read and the second look at the ledger.
  const overtaken = {
    ...store,
    async counts(run: string) {
      const counts = await store.counts(run);
      await store.putRows('r', ['a', 'b'].map(rowOf));
      await runs.finish('r', '0');
      return counts;
    },
  };
  const { expected, waiting, classified, duplicates } = await readProgress({ runs, store: overtaken }, 'r');
  assert.deepEqual(
    { expected, waiting, classified, duplicates },
    { expected: 5, waiting: 5, classified: 0, duplicates: 0 },
  );
  const after = await readProgress({ runs, store }, 'r');
  assert.deepEqual([after.expected, after.waiting, after.classified], [5, 3, 2]);
});
