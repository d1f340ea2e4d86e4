import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from '../../../../src/cli/terminal/progress/pace.ts';

/** A pace whose clock the test moves. */
function paced(done = 0) {
  let now = 0;
  const pace = createPace(done, () => now);
  return (seconds: number, done: number, total: number) => {
    now += seconds * 1_000;
    return pace.update({ done, total });
  };
}

test('the rate is that of the last minute', () => {
  const after = paced();
  assert.equal(after(60, 600, 10_000).imagesPerSecond, 10);
  for (let second = 1; second <= 60; second++) after(1, 600 + second, 10_000);
  assert.equal(after(1, 661, 10_000).imagesPerSecond, 1);
});

test('rows of an earlier pass are not of this one', () => {
  const after = paced(900);
  const { imagesPerSecond, secondsLeft } = after(10, 910, 1_000);
  assert.equal(imagesPerSecond, 1);
  assert.equal(secondsLeft, 90);
});

test('before anything is done, nobody knows how long it takes', () => {
  assert.equal(paced()(5, 0, 100).secondsLeft, undefined);
});

test('at the end nothing is left', () => {
  const after = paced();
  after(1, 10, 100);
  assert.equal(after(9, 100, 100).secondsLeft, 0);
});

test('batches of rows do not make the time left jump', () => {
  const after = paced();
  after(10, 160, 16_000);
  let last = after(1, 160, 16_000).secondsLeft!;
  // A batch of 16 arrives each second and a half; the true pace is the same all the time.
  for (let half = 1; half <= 300; half++) {
    const done = 160 + 16 * Math.floor(half / 3);
    const { secondsLeft } = after(0.5, done, 16_000);
    assert.ok(Math.abs(secondsLeft! - last) <= 0.05 * last, `${last} then ${secondsLeft}`);
    last = secondsLeft!;
  }
});

test('a lasting change of the rate is followed', () => {
  const after = paced();
  for (let second = 1; second <= 60; second++) after(1, second * 10, 2_000);
  // From ten images a second to five: with 1,000 to go, 200 seconds.
  let left: number | undefined;
  for (let second = 1; second <= 80; second++) left = after(1, 600 + second * 5, 2_000).secondsLeft;
  assert.ok(left! > 190 && left! < 210, `${left}`);
});

test('while the work is slower than it was, the clock alone does not count the time left down', () => {
  const after = paced();
  after(10, 100, 170);
  // The last 20 images come one in three seconds: the rate of the minute is still above that, and falls.
  let left = after(5, 150, 170).secondsLeft!;
  for (let third = 1; third <= 10; third++) {
    const now = after(3, 150 + third, 170).secondsLeft!;
    assert.ok(now >= (170 - 150 - third) / 10, `${now} s for ${20 - third} images, after ${left}`);
    left = now;
  }
});
