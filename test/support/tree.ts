// A folder as a test compares it: every entry, byte for byte.
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** What is below a folder, by path: a file's mode and the hash of its bytes, a link's target, a folder. */
export async function treeOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name)).sort();
  const described = paths.map(async (path) => [relative(folder, path), await describe(path)] as const);
  return Object.fromEntries(await Promise.all(described));
}

async function describe(path: string): Promise<string> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) return `-> ${await readlink(path)}`;
  if (!found.isFile()) return 'folder';
  const hash = createHash('sha256').update(await readFile(path));
  return `${(found.mode & 0o777).toString(8)} ${found.mtimeMs.toFixed(0)} ${hash.digest('hex')}`;
}
