import assert from 'node:assert/strict';
import { test } from 'node:test';
import { logLine } from '../../../src/shared/log/logLine.ts';

test('a line of the log for people: time, level, message, reason, and the rest', () => {
  const line = logLine(
    JSON.stringify({
      level: 40,
      time: new Date(2026, 0, 2, 14, 55, 7).toISOString(),
      host: 'example.org',
      err: { type: 'Error', message: 'gone', code: 'ECONNRESET', stack: 'at x\nat y' },
      msg: 'Redis\u001b[2J connection',
    }),
  );
  assert.equal(
    line,
    '\r\u001b[K14:55:07 warn  Redis\u{fffd}[2J connection ECONNRESET: gone {"host":"example.org"}\n',
  );
});
