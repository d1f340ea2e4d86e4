import { constants } from 'node:fs';
import { copyFile, link, lstat, open, rm, symlink, unlink, utimes } from 'node:fs/promises';
import { pathBytes } from '../../shared/refs/byteNames.ts';
import type { FileStep } from './sortStep.ts';

/** What link(2) says where there is another file system, or one without hard links, or a file that is not the user's to link. */
const NO_LINK = ['EXDEV', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/** Puts one file where it belongs. Never takes the place of another: EEXIST. Throws what the system says. */
export async function placeFile({ by, from, to }: FileStep): Promise<void> {
  if (by === 'link') return symlink(pathBytes(from), pathBytes(to));
  return by === 'copy' ? copyWhole(from, to) : moveFile(from, to);
}

/**
 * Moves a file. In between it has both names, or both files; never none. Renaming would overwrite what stands there. Onto another file
 * system it is copied, and on disk, before the first one goes.
 */
export async function moveFile(from: string, to: string): Promise<void> {
  try {
    await link(pathBytes(from), pathBytes(to));
  } catch (error) {
    if (!NO_LINK.includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyWhole(from, to);
  }
  await unlink(pathBytes(from)).catch(async (error: Error) => {
    await unlink(pathBytes(to));
    throw error;
  });
}

/** A copy with the times and the mode of the first. One that fails in the middle goes; one that is cut off is shorter. */
async function copyWhole(from: string, to: string): Promise<void> {
  const { atime, mtime } = await lstat(pathBytes(from));
  await copyFile(pathBytes(from), pathBytes(to), constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE).catch(
    async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') await rm(pathBytes(to), { force: true });
      throw error;
    },
  );
  const file = await open(pathBytes(to), 'r');
  await file.sync().finally(() => file.close());
  await utimes(pathBytes(to), atime, mtime);
}
