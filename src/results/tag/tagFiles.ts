import { chmod, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import { replaceFile } from '../../shared/files/replaceFile.ts';
import type { ActionLog } from '../actions/actionLog.ts';
import { type Tally, tally } from '../actions/tally.ts';
import { type TagStep, withoutLabels } from './tagPlan.ts';

interface Watched {
  signal?: AbortSignal;
  onFile?: (files: number) => void;
}

type Steps = Pick<ActionLog<TagStep>, 'steps'>;

/** Writes the sidecars of a plan, each whole or not at all. @throws OUTPUT_FAILED, and the signal's reason between two files */
export async function tagFiles(log: Steps, { signal, onFile }: Watched = {}) {
  const left: Tally = new Map();
  let [looked, files] = [0, 0];
  for await (const step of log.steps()) {
    signal?.throwIfAborted();
    onFile?.(++looked);
    if ((await textAt(step.path)) !== step.before) {
      tally(left, 'sidecars that were changed meanwhile', step.path);
      continue;
    }
    await write(step.path, step.after);
    files++;
  }
  return { files, left };
}

/**
 * Undoes a plan, whole or cut off. A sidecar that was changed since loses the labels that were written, and keeps the rest.
 *
 * @throws OUTPUT_FAILED, and the signal's reason between two files
 */
export async function undoTags(
  log: Steps,
  { signal }: Watched = {},
): Promise<{ files: number; left: Tally }> {
  const left: Tally = new Map();
  let files = 0;
  for await (const step of log.steps()) {
    signal?.throwIfAborted();
    const now = await textAt(step.path);
    if (now === step.before || now === undefined) continue;
    const text = now === step.after ? step.before : withoutLabels(step, now);
    if (now !== step.after && text === undefined) {
      tally(left, 'sidecars that cannot be read any more', step.path);
      continue;
    }
    if (text === undefined) await rm(step.path);
    else await write(step.path, text);
    files++;
  }
  return { files, left };
}

async function textAt(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function write(path: string, text: string): Promise<void> {
  const mode = await stat(path).then(
    (found) => found.mode & 0o777,
    () => undefined,
  );
  try {
    await replaceFile(path, async (part) => {
      await writeFile(part, text, { flush: true });
      if (mode !== undefined) await chmod(part, mode);
    });
  } catch (error) {
    throw new ClipfleetError(
      'OUTPUT_FAILED',
      `Expected to write ${path}, got: ${(error as Error).message}.`,
      {
        cause: error,
      },
    );
  }
}
