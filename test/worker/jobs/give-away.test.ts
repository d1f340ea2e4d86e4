import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { BATCH, BEGUN, IMAGES, startHoldingRun, startNamedWorker } from '../../support/givingFleet.ts';
import { runIsComplete } from '../../support/politeFleet.ts';
import { until } from '../../support/support.ts';

test('what a worker has not begun goes to one that has nothing to do, while it still waits for its own', async (t) => {
  const fleet = await startFleet(t);
  const { runs } = fleet.producer;
  const server = await startHoldingRun(t, fleet);
  await startNamedWorker(fleet, 'first');
  await until(() => server.heldOf('first') === BEGUN, 'the first has begun what it can');
  assert.deepEqual(
    (await runs.pending('r')).map(({ piece, images }) => [piece, images]),
    [['0', IMAGES]],
    'one worker alone keeps its chunk',
  );

  await startNamedWorker(fleet, 'second');
  await until(() => server.heldOf('second') === BEGUN, 'the second asks for images of the chunk');
  assert.equal(server.heldOf('first'), BEGUN, 'the first got no answer yet');
  const pieces = await runs.pending('r');
  const sizes = pieces.map(({ images }) => images);
  assert.equal(
    sizes.reduce((sum, images) => sum + images),
    IMAGES,
  );
  const [own, ...parts] = sizes;
  assert.equal(own, BEGUN, 'the first keeps what it has begun');
  assert.ok(
    parts.every((images) => images <= BATCH),
    `parts of ${parts}`,
  );

  server.answer();
  await runIsComplete(fleet);
  const rows = await fleet.rows('r');
  assert.ok(rows.every(({ status }) => status === 'classified'));
  const places = rows.map(({ place }) => place).sort((a, b) => a.index - b.index);
  assert.deepEqual(
    places,
    Array.from({ length: IMAGES }, (_, index) => ({ chunk: 0, index })),
    'each image once, in its place',
  );
  const { expected, classified, duplicates } = await fleet.producer.progress('r');
  assert.deepEqual([expected, classified, duplicates], [IMAGES, IMAGES, 0]);
  assert.deepEqual([await runs.pending('r'), await runs.active('r')], [[], 0]);
});
