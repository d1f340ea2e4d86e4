// A run whose rows are in PostgreSQL, with a server that goes away and comes back, and workers that are killed.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProducer } from '../../../src/producer/producer.ts';
import { keysUnder } from '../../../src/shared/redis/keys.ts';
import { openStore } from '../../../src/shared/store/openStore.ts';
import { copyPictures, demoModel, jsonLines, startFleet } from '../../support/fleet.ts';
import { silent } from '../../support/heart.ts';
import { startPostgres } from '../../support/postgresServer.ts';
import { until } from '../../support/support.ts';

const IMAGES = 600;

test('restarts of PostgreSQL and killed workers lose and double nothing, and people read the rows with SQL', async (t) => {
  const server = await startPostgres(t);
  const url = await server.create('fleet');
  const fleet = await startFleet(t);
  const { redis } = fleet;
  fleet.env.CLIPFLEET_STORE = url;
  const store = await openStore(url, { redis, keys: keysUnder('clipfleet'), log: silent });
  t.after(() => store.close());
  const producer = createProducer({ redis, store });
  await copyPictures(fleet, 'pictures', IMAGES);
  const labels = [
    '--labels',
    'fox,bear,owl,car,cat,dog',
    '--chunk-size',
    '8',
    '--run',
    'r',
    '--model',
    demoModel,
  ];
  assert.equal((await fleet.run('enqueue', 'pictures', ...labels)).code, 0);

  const startWorker = () => fleet.start('worker', '--model', demoModel, '--lock-ms', '2000');
  const workers = [startWorker(), startWorker()];
  const rowsReach = (rows: number) => async () => (await store.counts('r')).classified >= rows;
  await until(rowsReach(50), 'there are rows', 120_000);
  await server.stop();
  workers[0]!.child.kill('SIGKILL');
  workers[0] = startWorker();
  await until(
    () => /backing off: PostgreSQL failed/.test(workers[1]!.text().stderr),
    'a worker waits for the server',
  );
  await server.start();
  await until(rowsReach(200), 'it goes on', 120_000);
  workers[1]!.child.kill('SIGKILL');
  workers[1] = startWorker();
  await server.stop();
  await server.start();
  await until(async () => (await producer.progress('r')).complete, 'the run is complete', 120_000);

  assert.deepEqual(await store.counts('r'), { classified: IMAGES, failed: 0, failures: {} });
  const audit = await fleet.run('audit', 'r', '--format', 'jsonl');
  const [{ counted, stored } = {}] = jsonLines<Record<string, unknown>>(audit.stdout);
  assert.deepEqual(counted, { classified: IMAGES, failed: 0, failures: {} });
  assert.deepEqual(stored, counted);
  const [seen] = await server.ask<{ images: number; best: number; owls: number }>(
    `SELECT count(DISTINCT id)::int4 AS images, count(*) FILTER (WHERE rank = 1)::int4 AS best,
     count(*) FILTER (WHERE rank = 1 AND label = 'owl' AND score > 0.5)::int4 AS owls
     FROM clipfleet.predictions WHERE run = 'r'`,
    'fleet',
  );
  assert.deepEqual(seen, { images: IMAGES, best: IMAGES, owls: IMAGES / 6 });
  assert.equal(await redis.exists('clipfleet:rows:{r.0}'), 0, 'none of them is in Redis');
  assert.equal(await redis.hget('clipfleet:run:{r}', 'store'), store.name);
});
