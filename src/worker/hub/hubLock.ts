import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const pollMs = 200;
const beatMs = 2000;
const staleMs = 15_000;

/**
 * Runs `work` while no other process that shares the disk runs it under the same path. Node has no flock, so the lock
 * is a file that exists, and its holder touches it every 2 s. It is taken over at once when its holder was a process
 * of this machine that is gone, and after 15 s when nobody touches it (watched, not read off clocks: machines differ).
 *
 * Two may still hold it when both take over at the same instant. So it only saves work: what is done under it must be
 * right without it.
 */
export async function withFileLock<T>(
  path: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const owner = JSON.stringify({ host: hostname(), pid: process.pid, id: randomUUID() });
  await mkdir(dirname(path), { recursive: true });
  await acquire(path, owner, signal);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // Taken over: the work goes on and does no harm.
  }, beatMs).unref();
  try {
    return await work();
  } finally {
    clearInterval(beat);
    if ((await look(path))?.owner === owner) await rm(path, { force: true });
  }
}

async function acquire(path: string, owner: string, signal: AbortSignal | undefined): Promise<void> {
  let watched = { mark: '', sinceMs: 0 };
  for (;;) {
    if (await claim(path, owner)) return;
    const seen = await look(path);
    if (seen === undefined) continue;
    const mark = `${seen.touchedMs} ${seen.owner}`;
    if (mark !== watched.mark) watched = { mark, sinceMs: performance.now() };
    const stale = isGone(seen.owner) || performance.now() - watched.sinceMs > staleMs;
    if (stale) await rm(path, { force: true });
    else await pause(pollMs, undefined, { signal });
  }
}

async function claim(path: string, owner: string): Promise<boolean> {
  try {
    await writeFile(path, owner, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function look(path: string): Promise<{ owner: string; touchedMs: number } | undefined> {
  try {
    const [owner, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    return { owner, touchedMs: mtimeMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Whether the holder was a process of this machine that does not run any more. */
function isGone(owner: string): boolean {
  const pid = pidOnThisHost(owner);
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

function pidOnThisHost(owner: string): number | undefined {
  try {
    const { host, pid } = JSON.parse(owner) as { host?: unknown; pid?: unknown };
    return host === hostname() && typeof pid === 'number' && pid > 0 ? pid : undefined;
  } catch {
    return undefined; // Caught between its creation and its first byte.
  }
}
