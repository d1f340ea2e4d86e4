// A server that cannot be had is said in one sentence.
import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { ensurePrivate } from '../../../src/shared/files/privateFolder.ts';
import { leaseLocalRedis } from '../../../src/shared/redis/localRedis.ts';
import { temporaryFolder } from '../../support/support.ts';

test('no server program on PATH: what to install', async (t) => {
  const path = process.env.PATH;
  t.after(() => {
    process.env.PATH = path;
  });
  process.env.PATH = await temporaryFolder(t);
  await assert.rejects(leaseLocalRedis({ dataDir: await temporaryFolder(t) }), {
    code: 'REDIS_MISSING',
    message: /apt-get install redis-server.*brew install redis.*npm run setup.*REDIS_URL/,
  });
});

test('a server that does not come up: the end of its log', async (t) => {
  const dataDir = await temporaryFolder(t);
  const logDirectory = join(dataDir, 'redis', 'appendonlydir');
  await mkdir(logDirectory, { recursive: true });
  await writeFile(join(logDirectory, 'appendonly.aof.manifest'), 'not a manifest\n');
  await assert.rejects(leaseLocalRedis({ dataDir }), { code: 'REDIS_UNAVAILABLE', message: /manifest/ });
});

test('an aborted signal ends the wait', async (t) => {
  const dataDir = await temporaryFolder(t);
  const reason = new Error('enough');
  await assert.rejects(leaseLocalRedis({ dataDir, signal: AbortSignal.abort(reason) }), reason);
});

test('a runtime directory that others may enter, or that is none, is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const refused = { code: 'DATA_DIR_UNUSABLE', message: /mode 700/ };

  const open = join(folder, 'open');
  await mkdir(open);
  await chmod(open, 0o755);
  assert.throws(() => ensurePrivate(open), refused);

  const link = join(folder, 'link');
  await symlink(open, link);
  assert.throws(() => ensurePrivate(link), refused);

  const file = join(folder, 'file');
  await writeFile(file, '');
  assert.throws(() => ensurePrivate(file), refused);

  ensurePrivate(join(folder, 'own'));
  ensurePrivate(join(folder, 'own'));
});
