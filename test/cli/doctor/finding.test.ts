import assert from 'node:assert/strict';
import { test } from 'node:test';
import stringWidth from 'string-width';
import { formatFindings, formatSum } from '../../../src/cli/doctor/doctorText.ts';
import { fault, findingsOf, ok, warning } from '../../../src/cli/doctor/finding.ts';
import { ClipfleetError } from '../../../src/shared/errors.ts';

test('a check that never answers ends at its limit, as a fault, and is told', async () => {
  let told: AbortSignal | undefined;
  const [finding, ...others] = await findingsOf({
    group: 'Disk',
    limitMs: 20,
    look(signal) {
      told = signal;
      return new Promise(() => {});
    },
  });
  assert.deepEqual(others, []);
  assert.equal(finding?.level, 'fault');
  assert.equal(finding?.about, 'Disk');
  assert.match(finding?.says ?? '', /no answer within 0.02 s/);
  assert.equal(told?.aborted, true);
});

test('what a check throws is a fault with its code', async () => {
  const look = () => Promise.reject(new ClipfleetError('REDIS_UNAVAILABLE', 'Expected a server.'));
  assert.deepEqual(await findingsOf({ group: 'Redis', limitMs: 1_000, look }), [
    fault('Redis', 'REDIS_UNAVAILABLE: Expected a server.'),
  ]);
});

test('lines fit the terminal, and nothing of them is lost', () => {
  const path = `/srv/${'very-long-name/'.repeat(12)}lib.so`;
  const findings = [
    ok('server', 'Redis 7.0.15, standalone, primary with 0 replicas, up 12 days'),
    warning('memory', 'much of it is used '.repeat(8), 'Give it more, or remove what is done. '.repeat(4)),
    fault('cuda', `${path} is not installed`, 'Install it.'),
  ];
  for (const columns of [80, 120]) {
    const lines = formatFindings('Redis', findings, columns).split('\n');
    for (const line of lines) assert.ok(stringWidth(line) <= columns, `${columns}: ${line}`);
    assert.ok(
      lines
        .map((line) => line.trim())
        .join('')
        .includes(path),
    );
  }
  assert.equal(formatFindings('Redis', findings).trimEnd().split('\n').length, 1 + 3 + 2);
  assert.equal(formatSum(findings), '1 fault, 1 warning.');
  assert.equal(formatSum([ok('a', 'b')]), 'All is well.');
});
