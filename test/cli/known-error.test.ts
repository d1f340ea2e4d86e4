import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReplyError } from 'ioredis';
import { knownError } from '../../src/cli/setup/knownError.ts';

test('what Redis answers is one line with a code and the remedy', () => {
  const codes: [string, string][] = [
    ["NOPERM User bob has no permissions to run the 'client|list' command", 'REDIS_FORBIDDEN'],
    ['READONLY You can’t write against a read only replica.', 'REDIS_UNSUITABLE'],
    ['MOVED 3999 127.0.0.1:6381', 'REDIS_UNSUITABLE'],
    ["OOM command not allowed when used memory > 'maxmemory'.", 'REDIS_UNAVAILABLE'],
    ['ERR Error running script: -MISCONF Redis is configured to save', 'REDIS_UNAVAILABLE'],
    ['WRONGTYPE Operation against a key', 'INTERNAL'],
  ];
  for (const [answer, code] of codes) {
    assert.equal(knownError(new ReplyError(answer)).code, code, answer);
  }
  assert.match(knownError(new ReplyError(codes[0]![0])).message, /ACL SETUSER NAME \+client\|list/);
});

test('a lost connection has its code; what nobody foresaw is a bug, in one line', () => {
  assert.equal(knownError(new Error('Connection is closed.')).code, 'REDIS_UNAVAILABLE');
  const bug = knownError(new TypeError('x is not a function\n    at y'));
  assert.deepEqual(
    [bug.code, bug.message],
    ['INTERNAL', 'x is not a function. LOG_LEVEL=debug shows where.'],
  );
  assert.equal(knownError('thrown').code, 'INTERNAL');
});
