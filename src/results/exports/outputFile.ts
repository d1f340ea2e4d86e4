import { constants, type Stats } from 'node:fs';
import { access, open, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { isInside } from '../../shared/refs/roots.ts';
import { csvBeginning } from '../formats/csvRows.ts';
import { jsonlBeginning } from '../formats/jsonlRows.ts';
import { isOurParquet } from '../formats/parquetFile.ts';
import { folderMark } from '../outputs/wholeOutput.ts';
import { type ExportFormat, type ExportFormatName, formatOfOutput } from './exportFormat.ts';

export interface OutputRules {
  /** Paths that the command reads. */
  inputs: readonly string[];
  /** Overwrite a file that Clipfleet did not write. A folder that it did not write is never replaced. */
  force: boolean;
  /** The format, where not the suffix names it. */
  format?: ExportFormatName | undefined;
  /** Whether the output is a folder of parts. */
  parts?: boolean;
}

/** So many bytes at either end of a file tell what it is. */
const ENDS_BYTES = 4_096;

/**
 * Says before the work, not after it, that rows cannot be written to a file or folder. Changes nothing: where the run cannot start, no
 * empty file is left.
 *
 * @throws USAGE for a suffix that names no format, for a file that is an input, for one that holds something else than rows, and for one that cannot be written
 */
export async function checkOutput(output: string, rules: OutputRules): Promise<void> {
  const format = formatOfOutput(output, rules.format);
  const kind = rules.parts && format.kind === 'file' ? 'folder' : format.kind;
  if (output === '-') {
    if (kind === 'lines') return;
    throw usage(
      `Expected a file or folder for this format, got -: standard output takes JSON lines and CSV.`,
    );
  }
  const found = await stat(output).catch(() => undefined);
  if (!found || kind !== 'lines') await requireAccess(dirname(resolve(output)), output);
  if (!found) return;
  await refuseInputs(output, rules.inputs);
  if (kind === 'folder') return checkFolder(output, found, rules);
  if (found.isDirectory()) throw usage(`Expected a file for the rows, got the folder ${output}.`);
  await requireAccess(output, output);
  // Pipes and devices hold nothing.
  if (!found.isFile() && kind === 'lines') return;
  if (!found.isFile()) throw usage(`Expected a file for the rows, got the pipe or device ${output}.`);
  if (rules.force || found.size === 0 || (await holdsRows(output, format))) return;
  throw usage(
    `${output} exists and holds something else than rows: choose another name, or overwrite it with --force.`,
  );
}

/** Folders are replaced as a whole, so only those that hold nothing but an export, whatever is forced. */
async function checkFolder(output: string, found: Stats, { parts }: OutputRules): Promise<void> {
  if (!found.isDirectory()) throw usage(`Expected a folder for the rows, got the file ${output}.`);
  const names = await readdir(output);
  if (names.length === 0 || (!parts && names.includes(folderMark))) return;
  throw usage(
    `${output} exists and is ${parts ? 'not empty' : 'no export'}: choose another name. Folders with something else are never replaced.`,
  );
}

async function refuseInputs(output: string, inputs: readonly string[]): Promise<void> {
  const real = await realpath(output);
  for (const input of inputs) {
    const read = await realpath(input).catch(() => undefined);
    if (read !== undefined && isInside(real, read))
      throw usage(
        `Expected another file for the rows than an input, got ${output}, which is read: choose another name.`,
      );
  }
}

async function requireAccess(path: string, output: string): Promise<void> {
  await access(path, constants.W_OK).catch((cause: NodeJS.ErrnoException) => {
    throw usage(`Expected to write rows to ${output}, got ${cause.code} for ${resolve(path)}.`, cause);
  });
}

/** Whether a file is one that was written here. */
async function holdsRows(path: string, { kind }: ExportFormat): Promise<boolean> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const at = kind === 'lines' ? 0 : Math.max(0, size - ENDS_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(ENDS_BYTES), 0, ENDS_BYTES, at);
    const text = buffer.toString('utf8', 0, bytesRead);
    if (kind !== 'lines') return isOurParquet(text);
    return text.startsWith(jsonlBeginning) || text.replace(/^\uFEFF/, '').startsWith(csvBeginning);
  } finally {
    await file.close();
  }
}

function usage(message: string, cause?: unknown): ClipfleetError {
  return new ClipfleetError('USAGE', message, { cause });
}
