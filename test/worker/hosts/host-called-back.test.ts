import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../src/shared/log/log.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { createHostGate } from '../../../src/worker/hosts/hostGate.ts';
import { createHostRecord } from '../../../src/worker/hosts/hostRecord.ts';
import { startFleet } from '../../support/fleet.ts';
import { resolvedNames } from '../../support/resolvedNames.ts';
import { until } from '../../support/support.ts';

test('an image that waits for its host’s turn is called back at once', async (t) => {
  const { redis } = await startFleet(t);
  const limits = { concurrency: 1, rate: undefined, downMs: 60_000 };
  const visitHost = createHostRecord(redis, keysUnder('test'), limits);
  const gate = createHostGate({
    visitHost,
    names: resolvedNames,
    patienceMs: 60_000,
    unresolvedMs: 60_000,
    log: createLog('silent'),
  });
  const turn = await gate.enter('host.example', { run: 'r', path: '/' });
  const controller = new AbortController();
  const { signal } = controller;
  const work = async () => {
    signal.throwIfAborted();
    return gate.enter('host.example', { run: 'r', path: '/' });
  };
  const waiting = gate.waitingInPlace(work, signal);
  await until(() => gate.waiting() === 1, 'it waits for the turn');
  controller.abort();
  await assert.rejects(waiting, (error) => error === signal.reason);
  assert.equal(gate.waiting(), 0);
  turn.end('good');
  await gate.close();
});
