import { posix } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import type { TextFormat } from '../../shared/options/sourceOptions.ts';
import { schemeOf } from '../../shared/refs/uriScheme.ts';
import { isImageName } from '../images/imageName.ts';

/** What a list or an archive is. */
export type InputFormat = TextFormat | 'parquet' | 'tar';

const formats: Record<string, InputFormat> = {
  '.txt': 'text',
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.parquet': 'parquet',
  '.tar': 'tar',
};

/**
 * What a path or URL is by its ending, whatever the case, and `.gz` behind that of a list that is text; undefined for
 * everything else. What a URL asks for behind `?` does not count.
 *
 * Throws USAGE for what is nearly a source, with the way out.
 */
export function inputFormatOf(location: string): InputFormat | undefined {
  const name = nameOf(location).toLowerCase();
  const inner = name.replace(/\.gz$/, '');
  const format = formats[posix.extname(inner)];
  if (name.endsWith('.json')) {
    throw refused(location, 'JSON lines (.jsonl), one object a line', "`jq -c '.[]'` makes them of an array");
  }
  if (name.endsWith('.tgz') || (inner !== name && format === 'tar')) {
    throw refused(
      location,
      'a plain .tar',
      'a compressed one has no places to point at: unpack it with gunzip',
    );
  }
  if (inner !== name && format === 'parquet') {
    throw refused(location, 'a plain .parquet', 'its pages are compressed already: unpack it with gunzip');
  }
  return format;
}

/** Whether the ending says that this is one file, and not the beginning of many. */
export function isFileName(location: string): boolean {
  return isImageName(nameOf(location)) || inputFormatOf(location) !== undefined;
}

/** The last part of a path or URL. */
export function nameOf(location: string): string {
  const scheme = schemeOf(location);
  const isWeb = scheme === 'http' || scheme === 'https';
  return posix.basename(isWeb ? new URL(location).pathname : location);
}

function refused(location: string, expected: string, remedy: string): ClipfleetError {
  return new ClipfleetError('USAGE', `${location}: expected ${expected}; ${remedy}.`);
}
