import { extname } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { csvFormat } from './csvRows.ts';
import type { LineFormat } from './lineFormat.ts';

const jsonlFormat: LineFormat = { header: undefined, line: (row) => JSON.stringify(row) };

const formats: Record<string, LineFormat> = {
  '.csv': csvFormat,
  '.jsonl': jsonlFormat,
  '.ndjson': jsonlFormat,
  // A pipe, a device, standard output.
  '': jsonlFormat,
};

/** The format that a file's name asks for by its suffix. @throws USAGE for another suffix */
export function formatOfOutput(output: string): LineFormat {
  const suffix = extname(output).toLowerCase();
  const format = formats[suffix];
  if (format) return format;
  const message = `Expected an output that ends with .jsonl or .csv, got ${output}: other formats are not written.`;
  throw new ClipfleetError('USAGE', message);
}
