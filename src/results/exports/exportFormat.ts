import { extname } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import { csvFormat } from '../formats/csvRows.ts';
import { openFiftyone } from '../formats/fiftyone.ts';
import { openImagefolder } from '../formats/imagefolder.ts';
import { jsonlFormat } from '../formats/jsonlRows.ts';
import { openLabelStudio } from '../formats/labelStudio.ts';
import { openNpy } from '../formats/npy.ts';
import { openParquet } from '../formats/parquetFile.ts';
import type { LineFormat } from '../outputs/lineFormat.ts';
import { openLineOutput } from '../outputs/lineOutput.ts';
import type { RowOutput } from '../outputs/rowOutput.ts';
import { type OpenPart, openWholeOutput } from '../outputs/wholeOutput.ts';
import type { ExportedRun } from '../rows/exportedRun.ts';

/**
 * A format that is written row by row, or as a file or a folder that is there whole or not at all. `vectors`: it has the vectors of rows, wherever
 * they were kept or where they are asked for.
 */
export type ExportFormat =
  | { kind: 'lines'; linesOf: (run: ExportedRun) => LineFormat }
  | { kind: 'file' | 'folder'; suffix: string; openPart: OpenPart; vectors?: 'always' | 'asked' };

/** Every format, by name. A file or folder whose suffix is a format's name is of that format. */
const formats = {
  jsonl: { kind: 'lines', linesOf: jsonlFormat },
  csv: { kind: 'lines', linesOf: csvFormat },
  parquet: { kind: 'file', suffix: '.parquet', openPart: openParquet, vectors: 'asked' },
  'label-studio': { kind: 'folder', suffix: '.label-studio', openPart: openLabelStudio },
  fiftyone: { kind: 'folder', suffix: '.fiftyone', openPart: openFiftyone },
  hf: { kind: 'folder', suffix: '.hf', openPart: openImagefolder },
  npy: { kind: 'folder', suffix: '.npy', openPart: openNpy, vectors: 'always' },
} as const satisfies Record<string, ExportFormat>;

export type ExportFormatName = keyof typeof formats;

const suffixes: Record<string, ExportFormatName> = {
  ...Object.fromEntries((Object.keys(formats) as ExportFormatName[]).map((name) => [`.${name}`, name])),
  '.ndjson': 'jsonl',
  // A pipe, a device, standard output.
  '': 'jsonl',
};

/**
 * The format of an output: the one that is named, else the one that its suffix names.
 *
 * @throws USAGE for another suffix
 */
export function formatOfOutput(output: string, named?: ExportFormatName): ExportFormat {
  const name = named ?? suffixes[extname(output).toLowerCase()];
  if (name !== undefined) return formats[name];
  const all = Object.keys(formats).map((each) => `.${each}`);
  const message = `Expected an output that ends with ${all.join(', ')}, got ${output}: other formats are not written.`;
  throw new ClipfleetError('USAGE', message);
}

/** Opens a file or folder, or standard output (`-`), for the rows of a run. @throws OUTPUT_FAILED, USAGE */
export function openRowOutput(output: string, run: ExportedRun, format: ExportFormat): Promise<RowOutput> {
  if (format.kind === 'lines') return openLineOutput(output, format.linesOf(run));
  return openWholeOutput(output, format.kind, run, format.openPart);
}
