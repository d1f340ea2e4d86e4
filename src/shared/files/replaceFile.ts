import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The end of the names of what is being written; what a killed process left may be known by it. */
const PART_ENDING = '.part';

/** A name beside a path, in the same folder: what is written there can be renamed to the path. */
export function nameBeside(path: string): string {
  return `${path}.${randomUUID()}${PART_ENDING}`;
}

/**
 * Writes beside a path and renames: other processes see what was there or what is new, never a half. Makes the folder.
 *
 * `write` gets the path to write to, and may make a file, a link or a folder there. A file or link that is in place is
 * replaced; a folder that is in place stays, and the rename's error (ENOTEMPTY or EEXIST) is thrown.
 */
export async function replaceFile(path: string, write: (part: string) => Promise<void>): Promise<void> {
  const part = nameBeside(path);
  await mkdir(dirname(path), { recursive: true });
  try {
    await write(part);
    await rename(part, path);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}
