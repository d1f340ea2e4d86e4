// A password in a flag stands in the list of processes: the command says so, once, and not the password.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startFleet } from '../../support/fleet.ts';
import { startRedisServer } from '../../support/redisServer.ts';

test('a password on the command line is warned of once; in the variable, or without one, nothing is said', async (t) => {
  const { url, ask, port } = await startRedisServer(t);
  await ask('ACL', 'SETUSER', 'bob', 'on', '>hunter2', '~*', '&*', '+@all');
  const fleet = await startFleet(t);
  const secret = `redis://bob:hunter2@127.0.0.1:${port}`;
  const shown = await fleet.run('runs', '--redis-url', secret);
  assert.equal(shown.code, 0, shown.stderr);
  assert.equal(
    shown.stderr.match(/Warning: --redis-url has a password, .* REDIS_URL\./g)?.length,
    1,
    shown.stderr,
  );
  assert.doesNotMatch(shown.stdout + shown.stderr, /hunter2/);
  assert.doesNotMatch((await fleet.run('runs', '--redis-url', url)).stderr, /Warning/);
  fleet.env.REDIS_URL = secret;
  assert.doesNotMatch((await fleet.run('runs')).stderr, /Warning/);
});
