import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { ensurePrivate } from './privateFolder.ts';

/** The folder for what can be made again: `clipfleet` in XDG_CACHE_HOME or ~/.cache. */
export function userCacheFolder(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CACHE_HOME || join(homeOf(env), '.cache'), 'clipfleet');
}

/**
 * The folder for runs and rows: one for each user, `clipfleet` in XDG_STATE_HOME or ~/.local/state, so that a run is found from
 * any folder and pictures may lie where nobody can write. A folder `.clipfleet` here, which earlier versions made, goes on
 * being used.
 */
export function userStateFolder(env: NodeJS.ProcessEnv): string {
  const earlier = resolve('.clipfleet');
  if (isWritable(join(earlier, 'redis'))) return earlier;
  return join(env.XDG_STATE_HOME || join(homeOf(env), '.local', 'state'), 'clipfleet');
}

/**
 * HOME, or what the system knows of the user. A container's user often has neither: then a folder under /tmp that nobody
 * else may enter.
 *
 * @throws DATA_DIR_UNUSABLE where another user's is there
 */
export function homeOf(env: NodeJS.ProcessEnv): string {
  if (env.HOME) return env.HOME;
  try {
    return homedir();
  } catch {
    return privateTemporary();
  }
}

/** A folder of this user alone, made where it is not there: the same for all commands, whatever their TMPDIR. */
export function privateTemporary(): string {
  const folder = `/tmp/clipfleet-${process.getuid?.()}`;
  ensurePrivate(folder);
  return folder;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
