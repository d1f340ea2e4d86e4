import { lstat, mkdir, rmdir, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathBytes } from '../../shared/refs/byteNames.ts';
import type { ActionLog } from '../actions/actionLog.ts';
import { type Tally, tally } from '../actions/tally.ts';
import { compareFiles, linkTarget } from './compareFiles.ts';
import { moveFile } from './placeFile.ts';
import type { FileStep, SortStep } from './sortStep.ts';

/** What became of a step. */
type Undone = 'undone' | 'not done' | { left: string };

export interface UndoneSort {
  /** Links and copies that were removed, files that were moved back. */
  files: number;
  /** What was left alone, by why, with the first path. */
  left: Tally;
}

/**
 * Undoes a sort, whole or cut off at any point. It looks at what is there and not at what was said to be done, so it can be cut off and
 * repeated too. What somebody has changed or put there meanwhile stays.
 *
 * @throws the signal's reason between two files; what the system says
 */
export async function undoSort(
  log: Pick<ActionLog<SortStep>, 'steps'>,
  { signal }: { signal?: AbortSignal } = {},
): Promise<UndoneSort> {
  const left: Tally = new Map();
  const folders: string[] = [];
  let files = 0;
  for await (const step of log.steps()) {
    signal?.throwIfAborted();
    if ('folder' in step) folders.push(step.folder);
    else {
      const undone = await undoStep(step);
      if (undone === 'undone') files++;
      else if (undone !== 'not done') tally(left, undone.left, step.to);
    }
  }
  for (const folder of folders.reverse())
    await rmdir(pathBytes(folder)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') tally(left, 'folders that hold something else', folder);
    });
  return { files, left };
}

async function undoStep(step: FileStep): Promise<Undone> {
  const { by, from, to } = step;
  if (!(await exists(to)))
    return by !== 'move' || (await exists(from)) ? 'not done' : { left: 'files that are in neither place' };
  if (by === 'link') {
    if ((await linkTarget(to)) === from) return remove(to);
    return { left: 'links that were replaced' };
  }
  return by === 'copy' ? undoCopy(step) : undoMove(step);
}

/** A copy goes only where the first is still there and has the same bytes; one that was cut off is a beginning of it. */
async function undoCopy({ from, to }: FileStep): Promise<Undone> {
  if ((await compareFiles(to, from)) !== 'other') return remove(to);
  return { left: 'copies that differ from their file by now' };
}

async function undoMove({ from, to }: FileStep): Promise<Undone> {
  if (await exists(from)) {
    // Both names of one file, both files, or a copy that was cut off on its way there.
    if ((await compareFiles(to, from)) !== 'other') return remove(to);
    // A copy that was cut off on its way back.
    if ((await compareFiles(from, to)) !== 'beginning')
      return { left: 'files that are in both places and differ' };
    await unlink(pathBytes(from));
  }
  try {
    // A folder that was left empty may be gone by now.
    await mkdir(pathBytes(dirname(from)), { recursive: true });
    await moveFile(to, from);
    return 'undone';
  } catch (error) {
    return { left: `files that cannot go back (${(error as NodeJS.ErrnoException).code})` };
  }
}

async function remove(path: string): Promise<Undone> {
  await unlink(pathBytes(path));
  return 'undone';
}

async function exists(path: string): Promise<boolean> {
  return lstat(pathBytes(path)).then(
    () => true,
    () => false,
  );
}
