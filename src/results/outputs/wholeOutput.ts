import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { nameBeside } from '../../shared/files/replaceFile.ts';
import { version } from '../../shared/version.ts';
import type { ExportedRun, ExportRow } from '../rows/exportedRun.ts';
import { outputFailed } from './lineFile.ts';
import type { RowOutput } from './rowOutput.ts';

/** Writes rows into a file or folder that nobody reads yet. */
export interface PartWriter {
  write(row: ExportRow): void | Promise<void>;
  /** Resolves to sentences about what was left out. */
  end(): Promise<readonly string[]>;
  /** Lets go of open files. What was written goes anyway. */
  close(): Promise<void>;
}

export type OpenPart = (part: string, run: ExportedRun) => PartWriter | Promise<PartWriter>;

/** Says in a folder what is in it, and that it was written here. */
export const folderMark = 'clipfleet.json';

/**
 * An output that is there whole or not at all: written beside its path, on disk before it is renamed. A folder that was
 * written here gives way to the new one; no other folder does.
 */
export async function openWholeOutput(
  output: string,
  kind: 'file' | 'folder',
  run: ExportedRun,
  openPart: OpenPart,
): Promise<RowOutput> {
  const part = nameBeside(output);
  const writing = async <T>(work: () => T | Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      await abandon();
      throw error instanceof ClipfleetError ? error : outputFailed(output, error as Error);
    }
  };
  let writer: PartWriter | undefined;
  const abandon = async () => {
    await writer?.close().catch(() => {});
    await rm(part, { recursive: true, force: true });
  };
  await writing(async () => {
    if (kind === 'folder') await mkdir(part, { recursive: true });
    writer = await openPart(part, run);
  });
  return {
    async write(row) {
      await writing(() => writer!.write(row));
      return true;
    },
    end: () =>
      writing(async () => {
        const leftOut = await writer!.end();
        if (kind === 'folder') await writeFile(join(part, folderMark), `${markOf(run)}\n`);
        await toDisk(part, kind);
        await putInPlace(part, output);
        return leftOut;
      }),
    abandon,
  };
}

function markOf({ run, model, labelSet, createdAt, labels }: ExportedRun): string {
  return JSON.stringify({ clipfleet: version, run, model, labelSet, createdAt, labels }, null, 2);
}

/** A folder is not renamed over another: the old one steps aside first. */
async function putInPlace(part: string, output: string): Promise<void> {
  const found = await stat(output).catch(() => undefined);
  if (!found?.isDirectory()) return rename(part, output);
  const old = nameBeside(output);
  await rename(output, old);
  await rename(part, output);
  await rm(old, { recursive: true });
}

async function toDisk(part: string, kind: 'file' | 'folder'): Promise<void> {
  const entries = kind === 'file' ? [] : await readdir(part, { recursive: true, withFileTypes: true });
  // Links lead to files that were there before.
  const written = entries.filter((entry) => !entry.isSymbolicLink());
  for (const path of [...written.map(({ parentPath, name }) => join(parentPath, name)), part]) {
    const file = await open(path);
    await file.sync().finally(() => file.close());
  }
}
