import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { readConfig } from '../../../src/shared/options/config.ts';
import { connectRedis } from '../../../src/shared/redis/redis.ts';
import { startFleet } from '../../support/fleet.ts';

test('REDIS_URL may name a Unix socket, as other clients of Redis take it', async (t) => {
  const fleet = await startFleet(t);
  const socket = join(fleet.folder, 'my redis.sock');
  await symlink(fleet.redis.options.path!, socket);
  const REDIS_URL = pathToFileURL(socket).href.replace('file:', 'unix:');
  const { redisUrl } = readConfig(['redisUrl'], {}, { REDIS_URL });
  const redis = await connectRedis({ url: redisUrl });
  t.after(() => redis.disconnect());
  await redis.set('key', 'value');
  assert.equal(await fleet.redis.get('key'), 'value');
});

test('a Unix URL that would not be read as it says is refused', () => {
  for (const REDIS_URL of ['unix://redis.sock', 'unix:///redis.sock?db=2', '/redis.sock']) {
    assert.throws(() => readConfig(['redisUrl'], {}, { REDIS_URL }), { code: 'USAGE' });
  }
});
