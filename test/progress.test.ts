import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createProgress } from '../src/cli/progress.ts';

/** A stream that says it is a terminal, or not, and keeps what is written to it. */
function stream(isTTY: boolean) {
  const through = new PassThrough();
  let text = '';
  through.setEncoding('utf8').on('data', (piece: string) => {
    text += piece;
  });
  const terminal = { isTTY, columns: 120, cursorTo: moves, moveCursor: moves, clearLine: moves };
  return { stream: Object.assign(through, terminal) as unknown as NodeJS.WriteStream, text: () => text };
}

const moves = () => true;

/** Time stands still until the test moves it. */
function stopTime(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  return (ms) => t.mock.timers.tick(ms);
}

test('piped: plain lines, one every few seconds, and where it ended', (t) => {
  const pass = stopTime(t);
  const { stream: piped, text } = stream(false);
  const progress = createProgress(0, piped);
  progress.update({ done: 0, failed: 0, total: 100, open: true });
  assert.equal(text(), '');
  pass(10_000);
  progress.update({ done: 50, failed: 0, total: 100, open: true });
  progress.update({ done: 51, failed: 0, total: 100, open: true });
  assert.equal(text(), '50/100+ images, 5.0 images/s\n', 'of an open run nobody knows when it ends');
  pass(10_000);
  progress.update({ done: 80, failed: 2, total: 100, open: false });
  assert.match(text(), /\n80\/100 images, 2 failed, 4\.0 images\/s, 5 s left\n$/);
  progress.update({ done: 100, failed: 2, total: 100, open: false });
  progress.stop();
  assert.match(text(), /\n100\/100 images, 2 failed, 5\.0 images\/s.*\n$/);
  for (const mark of ['\u001b', '\r', '█']) assert.ok(!text().includes(mark));
});

test('of a run that is continued, earlier rows say nothing of the rate', (t) => {
  const pass = stopTime(t);
  const { stream: piped, text } = stream(false);
  const progress = createProgress(900, piped);
  pass(10_000);
  progress.update({ done: 910, failed: 0, total: 1_000, open: false });
  assert.equal(text(), '910/1000 images, 1.0 images/s, 1 min 30 s left\n');
  progress.stop();
});

test('a run of which nothing was seen says nothing', () => {
  for (const isTTY of [true, false]) {
    const { stream: out, text } = stream(isTTY);
    createProgress(0, out).stop();
    assert.equal(text(), '');
  }
});

test('on a terminal: a bar that fills, with the counts beside it', (t) => {
  const pass = stopTime(t);
  const { stream: terminal, text } = stream(true);
  const progress = createProgress(0, terminal);
  pass(1_000);
  progress.update({ done: 0, failed: 0, total: 28, open: true });
  pass(1_000);
  progress.update({ done: 28, failed: 1, total: 28, open: false });
  progress.stop();
  assert.match(text(), /░{28} 0\/28\+ images/);
  assert.match(text(), /█{28} 28\/28 images, 1 failed, 14\.0 images\/s/);
});
