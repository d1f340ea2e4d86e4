import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addsUp, readAccount } from '../../support/account.ts';
import { openDemoRun, runCompletes } from '../../support/demoRun.ts';
import { copyPictures, type Fleet, startFleet } from '../../support/fleet.ts';
import { startPoliteWorker } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

const names = ['owl.jpg', 'car.jpg', 'cat.webp', 'bear.png', 'fox.jpg', 'dog.jpg'];
const start = (fleet: Fleet) => startPoliteWorker(fleet, '--lock-ms', '1000', '--images-in-flight', '16');

test('two producers add to one run while its workers are killed: each image is accounted for once', async (t) => {
  const fleet = await startFleet(t);
  const { producer } = fleet;
  await copyPictures(fleet, 'some', 6);
  const producers = [await openDemoRun(fleet, 'r'), await openDemoRun(fleet, 'r')];
  let givesOn = true;
  const given = new Set<string>();
  // As long as workers are killed, images come: of either producer its own, some missing, and each tenth of both.
  async function* images(by: number) {
    for (let i = 0; givesOn; i++) {
      const file = `000${i % 6}-${names[i % 6]}`;
      const uri = `${i % 7 === 3 ? 'missing' : 'some'}/${file}`;
      const id = i % 10 === 0 ? `both-${i}` : `${by}-${i}`;
      given.add(id);
      yield { id, uri };
    }
  }
  const adding = Promise.all(
    producers.map((open, by) => open.add(images(by), { chunkSize: 8, highWater: 200 })),
  );
  const done = async () => addsUp(await producer.progress('r')).done;
  for (const enough of [100, 200, 300]) {
    const worker = await start(fleet);
    await until(async () => (await done()) >= enough, `${enough} images are done`);
    worker.child.kill('SIGKILL');
    await worker.ended;
  }
  givesOn = false;
  await start(fleet);
  const added = (await adding).reduce((sum, images) => sum + images, 0);
  await producers[0]!.seal();
  for (const open of producers) await open.close();
  await runCompletes(fleet, 'r');

  const rows = await fleet.rows('r');
  assert.deepEqual(rows.map(({ id }) => id).sort(), [...given].sort());
  const failed = rows.filter(({ status }) => status === 'failed').length;
  const account = {
    expected: given.size,
    classified: given.size - failed,
    failed,
    duplicates: added - given.size,
  };
  assert.deepEqual(await readAccount(fleet, 'r'), account);
  const { counted, recounted, withdrawn } = await producer.audit('r');
  assert.deepEqual([counted.classified, counted.failed], [given.size - failed, failed]);
  assert.deepEqual([recounted, withdrawn], [false, []]);
});
