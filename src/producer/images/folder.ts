import { open, readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { nameOfBytes, pathBytes, shownName } from '../../shared/refs/byteNames.ts';
import { BEGINNING_BYTES, beginsAsImage, endingOf, isImageName } from './imageName.ts';
import type { OnLeftOut } from './leftOut.ts';

/**
 * The images below a folder as paths relative to it with `/`, in the order of their code units, one directory in memory at
 * a time. Hidden files and folders are left out. Links are followed, except one that leads back to a folder it is in; a link
 * that leads nowhere is given, so that its row says so. A file without an ending is an image where it begins as one.
 *
 * Throws USAGE for a folder that cannot be read: images that are left out silently would be missed later.
 */
export async function* walkFolder(folder: string, onLeftOut: OnLeftOut = () => {}): AsyncGenerator<string> {
  yield* walk(folder, '', [], onLeftOut);
}

async function* walk(
  folder: string,
  below: string,
  ancestors: string[],
  onLeftOut: OnLeftOut,
): AsyncGenerator<string> {
  const path = join(folder, below);
  const identity = await readable(path, identityOf);
  if (ancestors.includes(identity)) return;
  for (const name of await sortedNames(path, onLeftOut)) {
    if (name.endsWith('/')) yield* walk(folder, below + name, [...ancestors, identity], onLeftOut);
    else yield below + name;
  }
}

async function identityOf(directory: string): Promise<string> {
  const { dev, ino } = await stat(pathBytes(directory), { bigint: true });
  return `${dev}:${ino}`;
}

/** What is to be given or entered in a directory; folders end with `/`, which is also where they sort among the paths. */
async function sortedNames(directory: string, onLeftOut: OnLeftOut): Promise<string[]> {
  const names = new Set<string>();
  const entries = await readable(directory, (path) =>
    readdir(pathBytes(path), { withFileTypes: true, encoding: 'buffer' }),
  );
  for (const entry of entries) {
    const name = nameOfBytes(entry.name);
    if (name.startsWith('.')) continue;
    const target = entry.isSymbolicLink() ? await targetOf(join(directory, name)) : entry;
    if (target?.isDirectory()) names.add(`${name}/`);
    else if (target === undefined || target.isFile()) {
      if (await isImage(directory, name)) names.add(name);
      else onLeftOut(name);
    }
  }
  return [...names].sort();
}

async function isImage(directory: string, name: string): Promise<boolean> {
  if (endingOf(name) !== undefined) return isImageName(name);
  const file = await open(pathBytes(join(directory, name))).catch(() => undefined);
  if (file === undefined) return false;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES));
    return beginsAsImage(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

async function readable<T>(directory: string, read: (directory: string) => Promise<T>): Promise<T> {
  try {
    return await read(directory);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const path = shownName(directory.replace(/\/$/, ''));
    throw new ClipfleetError('USAGE', `${path}: expected a folder that can be read, got ${code}.`, {
      cause: error,
    });
  }
}

/** What a link leads to; undefined where it leads nowhere. */
function targetOf(link: string) {
  return stat(pathBytes(link)).catch(() => undefined);
}

/**
 * Whether walking one of `folders` gives this path too. It is known by the words alone, normalised ones, and needs no
 * memory of the walk: an image's name, and nothing hidden nor `..` between the folder and it.
 */
export function isGivenByFolder(folders: ReadonlySet<string>, path: string): boolean {
  if (folders.size === 0 || !isImageName(posix.basename(path))) return false;
  for (let at = path; !posix.basename(at).startsWith('.'); at = posix.dirname(at)) {
    const parent = posix.dirname(at);
    if (folders.has(parent)) return true;
    if (parent === '.' || parent === at) return false;
  }
  return false;
}
