import * as fs from 'node:fs';
import { ClipfleetError } from '../errors.ts';

/**
 * Makes the directory, or takes the one that is there, if nobody else may enter it. In a folder where everybody may
 * write, another user could have put one of this name first.
 *
 * Throws DATA_DIR_UNUSABLE.
 */
export function ensurePrivate(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch {
    // It is there already, most likely; what is there decides.
  }
  const found = fs.lstatSync(directory);
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new ClipfleetError(
    'DATA_DIR_UNUSABLE',
    `${directory} must be a directory that you own and nobody else may enter (mode 700), but it is not ` +
      `(owner ${found.uid}, mode ${(found.mode & 0o7777).toString(8)}): remove it, or set REDIS_URL.`,
  );
}
