import { copyFile, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { replaceFile } from '../../shared/files/replaceFile.ts';

/**
 * The folders of one repository in the cache that Python's `huggingface_hub` shares:
 * `models--owner--repo/{blobs/<etag>, refs/<revision>, snapshots/<commit>/<path> -> ../../blobs/<etag>}`.
 * An etag is the SHA-256 of a file in LFS, the git SHA-1 of any other.
 */
export interface RepositoryCache {
  blob: (etag: string) => string;
  /** The lock of a blob's download, in the folder where Python keeps its own. */
  lock: (etag: string) => string;
  ref: (revision: string) => string;
  snapshot: (commit: string) => string;
}

/** @param name `owner/repo`, checked before: it becomes a part of paths. */
export function repositoryCache(cacheDir: string, name: string): RepositoryCache {
  const folder = `models--${name.replaceAll('/', '--')}`;
  return {
    blob: (etag) => join(cacheDir, folder, 'blobs', etag),
    lock: (etag) => join(cacheDir, '.locks', folder, `${etag}.clipfleet.lock`),
    ref: (revision) => join(cacheDir, folder, 'refs', revision),
    snapshot: (commit) => join(cacheDir, folder, 'snapshots', commit),
  };
}

/** Whether a revision is a full commit hash, which never means anything else later. */
export function isCommit(revision: string): boolean {
  return /^[0-9a-f]{40}$/.test(revision);
}

/** The commit that a revision had when it was last asked for, undefined when it never was. */
export async function readRef(cache: RepositoryCache, revision: string): Promise<string | undefined> {
  if (isCommit(revision)) return revision;
  const commit = (await readFile(cache.ref(revision), 'utf8').catch(() => '')).trim();
  return isCommit(commit) ? commit : undefined;
}

/** Writes nothing when nothing changed, so that a filled cache may be read-only. */
export async function writeRef(cache: RepositoryCache, revision: string, commit: string): Promise<void> {
  if ((await readRef(cache, revision)) === commit) return;
  await replaceFile(cache.ref(revision), (path) => writeFile(path, commit));
}

/** Size of a file in bytes, links followed, undefined when there is none. */
export async function fileBytes(path: string): Promise<number | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

/** Makes a snapshot's file a relative link to its blob, or a copy where the disk has no links. */
export async function linkBlob(
  cache: RepositoryCache,
  commit: string,
  path: string,
  etag: string,
): Promise<void> {
  const link = join(cache.snapshot(commit), path);
  await replaceFile(link, async (temporary) => {
    try {
      await symlink(relative(dirname(link), cache.blob(etag)), temporary);
    } catch {
      await copyFile(cache.blob(etag), temporary);
    }
  });
}
