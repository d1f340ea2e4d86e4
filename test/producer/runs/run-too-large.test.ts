import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { demoModel, type Fleet, startFleet } from '../../support/fleet.ts';

const images = 20_000;
const how = ['--labels', 'fox,owl', '--model', demoModel, '--run', 'r'];

/** A list of many images, and a Redis with room for `mebibytes` more. */
async function fleetWithRoom(t: TestContext, mebibytes: number): Promise<Fleet> {
  const fleet = await startFleet(t);
  const rows = Array.from({ length: images }, (_, i) => `https://images.example.org/${i}.jpg`);
  await writeFile(join(fleet.folder, 'list.txt'), rows.join('\n'));
  const used = Number(/used_memory:(\d+)/.exec(await fleet.redis.info('memory'))![1]);
  await fleet.redis.config('SET', 'maxmemory', String(used + mebibytes * 1024 * 1024));
  return fleet;
}

test('a run whose rows will not fit into Redis is refused before it is opened, with the sum', async (t) => {
  const fleet = await fleetWithRoom(t, 1);
  for (const command of ['enqueue', 'label']) {
    const { code, stdout, stderr } = await fleet.run(command, 'list.txt', ...how);
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^clipfleet: RUN_TOO_LARGE: .*20,000 rows of about \d+ bytes.*has 1 MB left.*clipfleet rm/m,
    );
    assert.equal(await fleet.producer.runs.get('r'), undefined);
  }
});

test('one that fits is taken', async (t) => {
  const fleet = await fleetWithRoom(t, 20);
  const { code, stderr } = await fleet.run('enqueue', 'list.txt', ...how);
  assert.equal(code, 0, stderr);
  assert.equal((await fleet.producer.runs.get('r'))?.images, images);
});
