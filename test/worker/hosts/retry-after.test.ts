import assert from 'node:assert/strict';
import { test } from 'node:test';
import { retryAfterMs } from '../../../src/worker/hosts/retryAfter.ts';

test('Retry-After is seconds or a date, by the server’s clock if it says its time', () => {
  const now = Date.parse('Sun, 06 Nov 1994 08:49:37 GMT');
  const cases: [unknown, unknown, number][] = [
    ['120', undefined, 120_000],
    [' 0 ', undefined, 0],
    ['Sun, 06 Nov 1994 08:50:37 GMT', undefined, 60_000],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 'Sun, 06 Nov 1994 08:50:27 GMT', 10_000],
    ['Sun, 06 Nov 1994 08:49:00 GMT', undefined, 0],
    ['Sun, 99 Nov 1994 08:50:37 GMT', undefined, 0],
    [undefined, undefined, 0],
    [['1', '2'], undefined, 0],
    ['-5', undefined, 0],
    ['1.5', undefined, 0],
    ['1 May 2099', undefined, 0],
  ];
  for (const [retryAfter, date, expected] of cases) {
    assert.equal(retryAfterMs(retryAfter, date, now), expected, String(retryAfter));
  }
});
