import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findModel } from '../../../src/worker/model/loadModel.ts';
import { addsUp, readAccount } from '../../support/account.ts';
import { runCompletes } from '../../support/demoRun.ts';
import { demoModel, type Fleet, pictures, startFleet } from '../../support/fleet.ts';
import { createForeignProducer } from '../../support/foreignProducer.ts';
import { parseKept, partOf, readKept, replayKept, withModel } from '../../support/keptWire.ts';

interface KeptContent {
  model: string;
  runs: Record<string, { account: object; rows: { id: string; status: string }[] }>;
}

/** What a model is called, with a hash of its files, is no matter of the wire: the bundled one takes the place of the kept one. */
const { identity } = await findModel({ model: demoModel, revision: 'main', dtype: 'fp32' });
const { model: keptModel } = parseKept<KeptContent>('redis-content.json');
const readWithModel = (name: string) => withModel(readKept(name), keptModel, identity);
const kept: KeptContent = JSON.parse(readWithModel('redis-content.json'));

async function contentOf({ producer }: Fleet, run: string): Promise<object> {
  const rows: object[] = [];
  for await (const row of producer.rows(run)) rows.push(row);
  const { runs } = producer;
  const [record, pending, warnings] = [runs.get(run), runs.pending(run), runs.warnings(run)];
  return {
    run: await record,
    account: addsUp(await producer.progress(run)),
    pending: await pending,
    warnings: await warnings,
    rows,
  };
}

test('the Redis of version 1 has the runs that it had, and workers finish what waits in it', async (t) => {
  const fleet = await startFleet(t);
  await replayKept(fleet.redis, readWithModel('redis.jsonl'));
  const runs = Object.entries(kept.runs);
  assert.deepEqual((await fleet.producer.list()).map(({ run }) => run).sort(), Object.keys(kept.runs));
  for (const [run, content] of runs)
    assert.deepEqual(partOf(await contentOf(fleet, run), content), content, run);

  fleet.start('worker', '--model', demoModel, '--root', pictures);
  for (const run of ['waiting', 'divided', 'retried']) await runCompletes(fleet, run);
  assert.deepEqual(await readAccount(fleet, 'waiting'), { expected: 3, classified: 3 });
  assert.deepEqual(await readAccount(fleet, 'divided'), { expected: 6, classified: 6 });
  assert.deepEqual(await readAccount(fleet, 'retried'), { expected: 2, classified: 1, failed: 1 });
  const again = (await fleet.rows('retried')).find(({ id }) => id === 'later.jpg');
  assert.equal(again?.generation, 1, 'the row of the second try took the place of the first');
  const divided = await fleet.rows('divided');
  const before = divided.filter(({ id }) => kept.runs.divided!.rows.some((row) => row.id === id));
  assert.deepEqual(
    before.map((row) => row.status === 'classified' && row.predictions.length),
    [1, 1],
    'rows that were there stay as they were',
  );

  assert.deepEqual(await readAccount(fleet, 'paused'), { expected: 1, waiting: 1 });
  await fleet.producer.resume('paused');
  await runCompletes(fleet, 'paused');
  const audit = await fleet.producer.audit('cut-off');
  assert.deepEqual(audit.withdrawn, ['1'], 'a chunk without a job is taken back');
  assert.deepEqual(await readAccount(fleet, 'cut-off'), { expected: 1, classified: 1 });
  for (const run of ['complete', 'interactive', 'cancelled'])
    assert.deepEqual(partOf(await contentOf(fleet, run), kept.runs[run]), kept.runs[run], run);
});

test('a producer of version 1 opens a run, announces, adds, seals, takes back and reads, with its own scripts', async (t) => {
  const fleet = await startFleet(t);
  const labels = ['fox', 'bear', 'owl'];
  const producer = createForeignProducer(fleet.redis, { run: 'foreign', model: identity });
  assert.equal(await producer.announce(0, 3), -1, 'the run is not opened');
  assert.equal(await producer.open(labels), 'ok');
  assert.equal(await producer.open(['dog']), 'labelSet');
  assert.equal(await producer.announce(0, 3), 3);
  await producer.addJob(0, ['owl.jpg', '', 'sku', 'bear.png', 'absent.jpg', '']);
  // Of this one the job is never added.
  assert.equal(await producer.announce(1, 5), 8);
  await producer.seal();
  assert.equal(await producer.announce(2, 1), -2, 'the run is sealed');
  fleet.start('worker', '--model', demoModel, '--root', pictures);
  await producer.takeBack(1);
  await producer.completes();
  const expected = { 'owl.jpg': 'owl', sku: 'bear', 'absent.jpg': 'IMAGE_NOT_FOUND' };
  assert.deepEqual(await producer.answers(labels), expected);
  assert.deepEqual(await readAccount(fleet, 'foreign'), { expected: 3, classified: 2, failed: 1 });
  await fleet.producer.cancel('foreign');
  assert.equal(await producer.open(labels), 'ok', 'a run that is complete is not cancelled');
  await fleet.producer.cancel('foreign');
  assert.equal(await producer.open(labels), 'cancelled');
  assert.equal(await producer.announce(3, 1), -3);
});
