import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';

const commands = ['status', 'results', 'cancel', 'pause', 'resume', 'retry', 'audit', 'rm'];

test('every command refuses a run that nobody opened, and opens none by that', async (t) => {
  const fleet = await startFleet(t);
  const calls = [
    ...commands.map((command) => [command, 'nobody']),
    ['status', 'nobody', '--watch'],
    ['resume', 'nobody', '--max-failure-rate', '0.5'],
    ['audit', 'nobody', '--format', 'jsonl'],
  ];
  for (const call of calls) {
    const { code, stdout, stderr } = await fleet.run(...call);
    assert.deepEqual([code, stdout], [1, ''], `${call}: ${stderr}`);
    assert.match(stderr, /^clipfleet: RUN_UNKNOWN: .*'nobody'/m, `${call}`);
    assert.deepEqual(await fleet.redis.keys('clipfleet:*nobody*'), [], `${call}`);
  }
});
