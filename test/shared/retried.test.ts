import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClipfleetError, type ErrorCode } from '../../src/shared/errors.ts';
import { type RetriedHow, retried } from '../../src/shared/retried.ts';

/** Work that fails with these codes, one a try, and then has an answer; with how often it was tried. */
function failing(...codes: ErrorCode[]) {
  const seen = { tries: 0 };
  const work = async () => {
    const code = codes[seen.tries++];
    if (code !== undefined) throw new ClipfleetError(code, `try ${seen.tries}`);
    return 'answer';
  };
  const run = (how: Partial<RetriedHow> = {}) => retried(work, { triesMax: 3, backoffMs: 1, ...how });
  return { seen, run };
}

test('what may pass is tried again, so often and no more; the last error is thrown', async () => {
  const twice = failing('FETCH_FAILED', 'FETCH_TIMEOUT');
  assert.equal(await twice.run(), 'answer');
  const always = failing('FETCH_FAILED', 'FETCH_FAILED', 'FETCH_TIMEOUT', 'FETCH_FAILED');
  await assert.rejects(always.run(), { code: 'FETCH_TIMEOUT', message: 'try 3' });
  assert.equal(always.seen.tries, 3);
});

test('what cannot pass is thrown at once: by the table of errors, by the caller’s word, or another error', async () => {
  const gone = failing('IMAGE_NOT_FOUND');
  await assert.rejects(gone.run(), { code: 'IMAGE_NOT_FOUND' });
  const corrupt = failing('HUB_CORRUPT');
  await assert.rejects(corrupt.run({ mayPass: ({ code }) => code === 'HUB_UNAVAILABLE' }), {
    code: 'HUB_CORRUPT',
  });
  assert.deepEqual([gone.seen.tries, corrupt.seen.tries], [1, 1]);
  let tries = 0;
  const work = async () => {
    tries++;
    throw new TypeError('a bug');
  };
  await assert.rejects(retried(work, { triesMax: 3, backoffMs: 1 }), TypeError);
  assert.equal(tries, 1);
});

test('a try that got on counts its failures anew', async () => {
  const codes: ErrorCode[] = Array(8).fill('HUB_UNAVAILABLE');
  const slow = failing(...codes);
  assert.equal(await slow.run({ gotOn: () => slow.seen.tries <= 6 }), 'answer');
  const stuck = failing(...codes);
  await assert.rejects(stuck.run({ gotOn: () => stuck.seen.tries <= 5 }), { message: 'try 8' });
});

test('the signal ends a pause, and no try follows', async () => {
  const stop = new AbortController();
  const { seen, run } = failing('FETCH_FAILED');
  const running = run({ backoffMs: 3_600_000, signal: stop.signal });
  const reason = new Error('enough');
  setImmediate(() => stop.abort(reason));
  await assert.rejects(running, (error: Error) => error === reason);
  assert.equal(seen.tries, 1);
});
