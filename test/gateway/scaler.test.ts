// What a scaler reads over a run, from nothing to nothing.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copyPictures, demoModel, startFleet } from '../support/fleet.ts';
import { startGateway } from '../support/gateway.ts';
import { until } from '../support/support.ts';

test('the images for a scaler go from 0 to 0, and are never 0 while an image has no row', async (t) => {
  const fleet = await startFleet(t);
  const { ask } = await startGateway(fleet);
  const worker = fleet.start('worker', '--model', demoModel);
  await until(() => worker.text().stderr.includes('worker ready'), 'the worker is ready');
  const read = async () => {
    const { json } = await ask('GET', '/v1/queue?model=demo');
    return { images: json.images as number, active: json.active as number };
  };
  assert.deepEqual(await read(), { images: 0, active: 0 });

  await copyPictures(fleet, 'pictures', 96);
  // Held until all are there: the account knows then what is left.
  worker.child.kill('SIGSTOP');
  const added = await fleet.run(
    ...['enqueue', 'pictures', '--labels', 'fox,owl', '--model', demoModel],
    ...['--run', 'r', '--chunk-size', '8'],
  );
  assert.equal(added.code, 0, added.stderr);
  assert.equal((await read()).images, 96);
  worker.child.kill('SIGCONT');

  const recorded: { images: number; active: number; left: number }[] = [];
  await until(
    async () => {
      const now = await read();
      const { expected, done, complete } = await fleet.producer.progress('r');
      recorded.push({ ...now, left: expected - done });
      return complete;
    },
    'the run is complete',
    120_000,
  );
  for (const each of recorded) {
    // What had no row after the reading had none before it.
    assert.ok(each.images >= each.left, JSON.stringify(each));
    assert.ok(each.active <= each.images);
  }
  assert.ok(recorded.some(({ active }) => active > 0));
  assert.deepEqual(await read(), { images: 0, active: 0 });
  const seen = [...new Set(recorded.map(({ images }) => images))];
  t.diagnostic(`images over the run: 0, 96, ${seen.join(', ')}, 0`);
});
