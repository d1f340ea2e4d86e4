import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitForRun } from '../../../src/producer/runs/runProgress.ts';
import { defineLabelSet } from '../../../src/shared/labels/labelSet.ts';
import { itemsUntilAborted } from '../../../src/shared/untilAborted.ts';
import { startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

test('who waits for a run asks its ledger; its rows are counted at the end, or for somebody who looks', async (t) => {
  const { producer } = await startFleet(t);
  const labelSet = defineLabelSet({ labels: ['fox', 'owl'] });
  const run = await producer.openRun({ model: 'm@1:fp32', labelSet, run: 'r' });
  await run.add([{ id: 'a', uri: 'a.jpg' }]);
  await run.seal();
  await run.close();

  let looks = 0;
  let counts = 0;
  const runs = {
    ...producer.runs,
    get(id: string) {
      looks++;
      return producer.runs.get(id);
    },
  };
  const store = {
    ...producer.store,
    counts(id: string) {
      counts++;
      return producer.store.counts(id);
    },
  };
  const waited = waitForRun({ runs, store }, 'r');
  await until(() => looks >= 5, 'it has looked several times');
  assert.equal(counts, 0);
  const row = {
    id: 'a',
    uri: 'a.jpg',
    generation: 0,
    place: { chunk: 0, index: 0 },
    at: 1_767_225_600,
  };
  await producer.store.putRows('r', [{ ...row, status: 'classified', predictions: [], fingerprint: 'f' }]);
  await producer.runs.finish('r', '0');
  const { done, expected, complete } = await waited;
  assert.deepEqual({ done, expected, complete }, { done: 1, expected: 1, complete: true });
  assert.equal(counts, 1);

  const told: number[] = [];
  await waitForRun({ runs, store }, 'r', { onProgress: ({ expected }) => told.push(expected) });
  assert.deepEqual(told, [1]);
});

test('a signal ends the waiting and the reading of rows at once with its reason, though Redis is silent', async (t) => {
  const { producer } = await startFleet(t);
  const silent = new Promise<never>(() => {});
  const runs = { ...producer.runs, get: () => silent };
  const reason = new Error('enough');
  const controller = new AbortController();
  const { signal } = controller;
  const waited = waitForRun({ runs, store: producer.store }, 'r', { signal });
  const items = itemsUntilAborted(signal, {
    [Symbol.asyncIterator]: () => ({ next: () => silent }),
  });
  const read = items.next();
  controller.abort(reason);
  await assert.rejects(waited, reason);
  await assert.rejects(read, reason);
  await assert.rejects(waitForRun({ runs, store: producer.store }, 'r', { signal }), reason);
  await assert.rejects(producer.rows('r', { signal }).next(), reason);
});
