import { constants } from 'node:fs';
import { access, open, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { csvFormat } from './csvRows.ts';
import { formatOfOutput } from './exportFormat.ts';

export interface OutputRules {
  /** Paths that the command reads. */
  inputs: readonly string[];
  /** Overwrite a file that Clipfleet did not write. */
  force: boolean;
}

const BEGINNING_BYTES = 200;

/**
 * Says before the work, not after it, that rows cannot be written to a file. Changes nothing: where the run cannot start, no empty
 * file is left.
 *
 * @throws USAGE for a suffix that names no format, for a file that is an input, for one that holds something else than rows, and for one that cannot be written
 */
export async function checkOutput(output: string, { inputs, force }: OutputRules): Promise<void> {
  if (output === '-') return;
  formatOfOutput(output);
  const found = await stat(output).catch(() => undefined);
  if (!found) return requireAccess(dirname(output), output);
  if (found.isDirectory()) throw usage(`Expected a file for the rows, got the folder ${output}.`);
  await requireAccess(output, output);
  // Pipes and devices hold nothing.
  if (!found.isFile()) return;
  const real = await realpath(output);
  for (const input of inputs) {
    if ((await realpath(input).catch(() => undefined)) === real)
      throw usage(
        `Expected another file for the rows than an input, got ${output}, which is read: choose another name.`,
      );
  }
  if (force || found.size === 0 || (await holdsRows(output))) return;
  throw usage(
    `${output} exists and holds something else than rows: choose another name, or overwrite it with --force.`,
  );
}

async function requireAccess(path: string, output: string): Promise<void> {
  await access(path, constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    throw usage(`Expected to write rows to ${output}, got ${cause.code} for ${resolve(path)}.`, cause);
  });
}

/** Whether a file begins as one that was written here. */
async function holdsRows(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES));
    const text = buffer.toString('utf8', 0, bytesRead);
    return text.startsWith('{"run":"') || text.startsWith(`${csvFormat.header}\n`);
  } finally {
    await file.close();
  }
}

function usage(message: string, cause?: unknown): ClipfleetError {
  return new ClipfleetError('USAGE', message, { cause });
}
