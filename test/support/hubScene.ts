import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { HubOptions } from '../../src/worker/hub/hub.ts';
import { type HubServer, startHub } from './hubServer.ts';

/** A server, an empty cache, and options that ask the one and fill the other without long pauses. */
export async function hubScene(test: TestContext, files?: Record<string, Buffer>) {
  const hub = await startHub(test, files);
  const cacheDir = await mkdtemp(join(tmpdir(), 'clipfleet-hub-'));
  test.after(() => rm(cacheDir, { recursive: true, force: true }));
  const options: HubOptions = {
    revision: 'main',
    dtype: 'fp32',
    cacheDir,
    offline: false,
    endpoint: hub.endpoint,
    userAgent: 'clipfleet-test',
    limits: { backoffMs: 1 },
  };
  return { hub, cacheDir, options, folder: join(cacheDir, 'models--Tiny-Org--clip.tiny') };
}

/** Whether a file in the cache has the bytes that its etag, an LFS hash, promises. */
export async function isWhole(hub: HubServer, dir: string, path: string): Promise<boolean> {
  const bytes = await readFile(join(dir, path));
  return createHash('sha256').update(bytes).digest('hex') === hub.etag(path);
}
