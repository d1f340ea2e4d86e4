import { ClipfleetError } from '../../shared/errors.ts';
import type { Config } from '../../shared/options/config.ts';

/** The format of what a command shows: a table, where nothing is said. @throws USAGE for a format of exports */
export function shownFormat({ format = 'table' }: Config<'format'>): 'table' | 'jsonl' {
  if (format === 'table' || format === 'jsonl') return format;
  const message = `--format: Expected table or jsonl, got ${format}: clipfleet export writes other formats.`;
  throw new ClipfleetError('USAGE', message);
}

/** The format of an export; undefined where the suffix of its output says it. @throws USAGE for table */
export function exportFormatOf({ format }: Config<'format'>) {
  if (format !== 'table') return format;
  const message = '--format: Expected a format of exports, got table: clipfleet results prints one.';
  throw new ClipfleetError('USAGE', message);
}
