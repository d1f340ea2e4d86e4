import type { PublicRow } from '../../shared/rows/row.ts';
import { formatOfOutput } from './exportFormat.ts';
import { openLineFile } from './lineFile.ts';

/** Takes rows one after the other into a file, in the format that its suffix names, or to standard output (`-`). */
export interface RowWriter {
  /** Resolves to false where nothing more is wanted. @throws OUTPUT_FAILED */
  write(row: PublicRow): Promise<boolean>;
  /** @throws OUTPUT_FAILED */
  end(): Promise<void>;
}

/** @throws USAGE for a suffix that names no format, OUTPUT_FAILED */
export async function openRowWriter(output: string): Promise<RowWriter> {
  const format = formatOfOutput(output);
  const file = await openLineFile(output);
  if (format.header !== undefined) await file.write(format.header);
  return { write: (row) => file.write(format.line(row)), end: file.end };
}
