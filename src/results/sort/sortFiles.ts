import { mkdir } from 'node:fs/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import { pathBytes } from '../../shared/refs/byteNames.ts';
import type { ActionLog } from '../actions/actionLog.ts';
import { type Tally, tally } from '../actions/tally.ts';
import { placeFile } from './placeFile.ts';
import type { SortStep } from './sortStep.ts';

/** What the next file would meet as well: a disk that is full, read-only or broken. */
const HOPELESS = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'];

export interface Sorted {
  files: number;
  /** What could not be done, by what the system said, with the first file that it was said of. */
  failed: Tally;
}

/**
 * Carries out a plan. A file that cannot be sorted stays where it is, and the others go on.
 *
 * @param onFile told how many files were looked at
 * @throws OUTPUT_FAILED where a disk is full, read-only or broken; the signal's reason between two files
 */
export async function sortFiles(
  log: Pick<ActionLog<SortStep>, 'steps'>,
  { signal, onFile }: { signal?: AbortSignal; onFile?: (files: number) => void } = {},
): Promise<Sorted> {
  const failed: Tally = new Map();
  let [looked, files] = [0, 0];
  for await (const step of log.steps()) {
    signal?.throwIfAborted();
    try {
      if ('folder' in step) await mkdir(pathBytes(step.folder));
      else {
        onFile?.(++looked);
        await placeFile(step);
        files++;
      }
    } catch (error) {
      const { code = 'INTERNAL', message } = error as NodeJS.ErrnoException;
      if (HOPELESS.includes(code))
        throw new ClipfleetError('OUTPUT_FAILED', `After ${files} files: ${message}.`, { cause: error });
      // Somebody else has made the folder. Of one that cannot be made, each file is said.
      if ('folder' in step) continue;
      tally(failed, code, step.from);
    }
  }
  return { files, failed };
}
