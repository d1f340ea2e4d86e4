import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { bucketOf } from '../../../src/shared/rows/rowBucket.ts';
import { copyPictures, demoModel, type Fleet, startFleet } from '../../support/fleet.ts';
import { until } from '../../support/support.ts';

const keys = keysUnder('clipfleet');
const source = ['many', '--labels', 'fox,owl', '--model', demoModel, '--run', 'r', '--chunk-size', '4'];

const stateOf = async ({ producer }: Fleet) => (await producer.runs.get('r'))?.state;

async function audit(fleet: Fleet): Promise<string> {
  const { code, stdout, stderr } = await fleet.run('audit', 'r');
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Run `r`, twelve pictures, complete. */
async function startComplete(t: TestContext): Promise<Fleet> {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 12);
  assert.equal((await fleet.run('enqueue', ...source)).code, 0);
  fleet.start('worker', '--model', demoModel);
  await until(async () => (await stateOf(fleet)) === 'complete', 'the run is complete');
  return fleet;
}

test('counts that somebody changed are said and put right from the rows', async (t) => {
  const fleet = await startComplete(t);
  assert.equal(
    await audit(fleet),
    '12 images: 12 classified\nrows: 12 classified, as counted\n',
    'nothing to say of a run that is as it should be',
  );
  await fleet.redis.hincrby(keys.counts('r', 0), 'classified', 5);
  await fleet.redis.hincrby(keys.counts('r', 1), 'failed:IMAGE_EMPTY', 2);
  assert.equal((await fleet.producer.progress('r')).done, 19);
  const said =
    '12 images: 12 classified\nrows: 12 classified; counted as 17 classified, 2 IMAGE_EMPTY: put right\n';
  assert.equal(await audit(fleet), said);
  assert.equal((await fleet.producer.progress('r')).done, 12);
  assert.match(await audit(fleet), /^rows: 12 classified, as counted$/m);
});

test('a row that somebody deleted is said, and comes again when the source is added again', async (t) => {
  const fleet = await startComplete(t);
  const { id } = (await fleet.rows('r'))[7]!;
  await fleet.redis.hdel(keys.rows('r', bucketOf(id)), id);
  const said = await audit(fleet);
  assert.match(said, /^rows: 11 classified; counted as 12 classified: put right$/m);
  assert.match(said, /^1 images came twice, or their rows are gone/m);
  assert.equal((await fleet.run('enqueue', ...source)).code, 0);
  await until(async () => (await stateOf(fleet)) === 'complete', 'the run is complete again');
  const ids = (await fleet.rows('r')).map((row) => row.id);
  assert.deepEqual([ids.length, ids.includes(id)], [12, true]);
  assert.match(await audit(fleet), /^rows: 12 classified, as counted$/m);
});

test('a chunk that has no job is taken back, so that the run can complete', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 12);
  assert.equal((await fleet.run('enqueue', ...source)).code, 0);
  const { runs } = fleet.producer;
  await runs.open((await runs.get('r'))!);
  await runs.announce('r', 9, 4);
  await runs.seal('r');
  fleet.start('worker', '--model', demoModel);
  await until(async () => (await runs.get('r'))?.pending === 4, 'only that chunk is left');
  assert.equal(await stateOf(fleet), 'sealed');
  assert.match(
    await audit(fleet),
    /^12 images: 12 classified\n.*^1 chunks taken back, which have no job that can be read \(9\)/ms,
  );
  assert.equal(await stateOf(fleet), 'complete');
});

test('counts are left alone while rows are still to come', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 12);
  assert.equal((await fleet.run('enqueue', ...source)).code, 0);
  await fleet.redis.hincrby(keys.counts('r', 0), 'classified', 1);
  const said = /^rows: 0 classified; counted as 1 classified: rows are still to come/m;
  assert.match(await audit(fleet), said);
  assert.equal((await fleet.producer.store.counts('r')).classified, 1);
  // Nor while a worker holds a chunk that the ledger has as finished: it may be about to write.
  for (const { piece } of await fleet.producer.runs.pending('r'))
    await fleet.producer.runs.finish('r', piece);
  await fleet.producer.runs.begin('r', '0', 4, { worker: 'w', alone: false });
  assert.match(await audit(fleet), said);
  await fleet.producer.runs.release('r', '0');
  assert.match(await audit(fleet), /counted as 1 classified: put right$/m);
  assert.equal((await fleet.producer.store.counts('r')).classified, 0);
});

test('of a cancelled run counts are put right though images are pending', async (t) => {
  const fleet = await startFleet(t);
  await copyPictures(fleet, 'many', 12);
  assert.equal((await fleet.run('enqueue', ...source)).code, 0);
  await fleet.producer.cancel('r');
  await fleet.redis.hincrby(keys.counts('r', 0), 'classified', 1);
  assert.match(await audit(fleet), /^12 images: 12 skipped\nrows: 0 classified; .*put right$/ms);
});
