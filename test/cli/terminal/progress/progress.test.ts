import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { createProgress } from '../../../../src/cli/terminal/progress/progress.ts';

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

function counts(done: number, expected: number, failed: number, open: boolean) {
  const failures: Record<string, number> = failed > 0 ? { IMAGE_EMPTY: failed } : {};
  const state = open ? ('open' as const) : ('sealed' as const);
  return { done, expected, active: 0, failed, failures, state, paused: undefined, retrying: 0 };
}

/** Time stands still until the test moves it. */
function stopTime(t: TestContext): (ms: number) => void {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000_000 });
  return (ms) => t.mock.timers.tick(ms);
}

test('piped: plain lines, one every few seconds, and where it ended', (t) => {
  const pass = stopTime(t);
  const { stream: piped, text } = stream(false);
  const progress = createProgress(0, piped);
  progress.update(counts(0, 100, 0, true));
  assert.equal(text(), '');
  pass(10_000);
  progress.update(counts(50, 100, 0, true));
  progress.update(counts(51, 100, 0, true));
  assert.equal(text(), '50/100+ images, 5.0 images/s\n', 'of an open run nobody knows when it ends');
  pass(10_000);
  progress.update(counts(80, 100, 2, false));
  assert.match(text(), /\n80\/100 images, 4\.0 images\/s, 5 s left, 2 failed \(IMAGE_EMPTY 2\)\n$/);
  progress.update(counts(100, 100, 2, false));
  progress.stop();
  assert.match(text(), /\n100\/100 images, 5\.0 images\/s, 2 failed \(IMAGE_EMPTY 2\)\n$/);
  for (const mark of ['\u001b', '\r', '█']) assert.ok(!text().includes(mark));
});

test('of a run that is continued, earlier rows say nothing of the rate', (t) => {
  const pass = stopTime(t);
  const { stream: piped, text } = stream(false);
  const progress = createProgress(900, piped);
  pass(10_000);
  progress.update(counts(910, 1_000, 0, false));
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
  progress.update(counts(0, 28, 0, true));
  pass(1_000);
  progress.update(counts(28, 28, 1, false));
  progress.stop();
  assert.match(text(), /░{28} 0\/28\+ images/);
  assert.match(text(), /█{28} 28\/28 images, 14\.0 images\/s, 1 failed \(IMAGE_EMPTY 1\)/);
});

test('while nothing is done, what the run waits for stands in place of the time left', (t) => {
  const pass = stopTime(t);
  const { stream: piped, text } = stream(false);
  const progress = createProgress(0, piped);
  const update = (bottleneck: string, state: 'open' | 'sealed' = 'sealed', active = 0) => {
    pass(5_000);
    progress.update({ ...counts(50, 100, 0, false), state, bottleneck, active });
  };
  update('session');
  update('idle');
  update('none');
  update('idle', 'open');
  update('idle', 'sealed', 32);
  assert.deepEqual(text().split('\n'), [
    '50/100 images, 10.0 images/s, 5 s left, limited by session',
    '50/100 images, 5.0 images/s, nothing for 5 s, waiting for hosts or another attempt',
    '50/100 images, 3.3 images/s, nothing for 10 s, no worker serves its model',
    '50/100+ images, 2.5 images/s, nothing for 15 s',
    '50/100 images, 2.0 images/s, nothing for 20 s, 32 active',
    '',
  ]);
});
