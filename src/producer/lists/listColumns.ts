import { ClipfleetError } from '../../shared/errors.ts';

export interface ColumnChoice {
  /** The column of paths and URLs, instead of the usual names. */
  urlColumn?: string | undefined;
  /** The column of ids, instead of the usual names. */
  idColumn?: string | undefined;
  /** Whether the other columns are wanted too. */
  withOthers?: boolean;
}

/** Names by which columns are known, the first that is there counts: those of img2dataset, Hugging Face and OpenAI. */
const urlColumns = ['url', 'image_url', 'uri', 'file_name', 'path', 'image'];
const idColumns = ['key', 'id', 'custom_id'];

export interface Columns {
  url: string;
  /** Undefined where the list has no ids. */
  id: string | undefined;
}

/** The columns of a list among those it has, whatever their case. Undefined when none holds addresses. */
export function findColumns(names: string[], { urlColumn, idColumn }: ColumnChoice): Columns | undefined {
  const url = firstOf(urlColumn === undefined ? urlColumns : [urlColumn], names);
  const id = firstOf(idColumn === undefined ? idColumns : [idColumn], names);
  return url === undefined ? undefined : { url, id };
}

/** The columns of a list whose header says what there is. Throws USAGE with what was found and the flags. */
export function requireColumns(names: string[], choice: ColumnChoice, list: string): Columns {
  const columns = findColumns(names, choice);
  const { urlColumn, idColumn } = choice;
  const found = names.slice(0, 50).map((name) => JSON.stringify(name.slice(0, 60)));
  const got = `got ${names.length === 0 ? 'none' : found.join(', ')}`;
  if (columns === undefined) {
    const expected =
      urlColumn === undefined ? `a column ${urlColumns.join(', ')}` : `the column "${urlColumn}"`;
    throw usage(`${list}: expected ${expected}, ${got}; name the column of paths or URLs with --url-column.`);
  }
  if (idColumn !== undefined && columns.id === undefined) {
    throw usage(
      `${list}: expected the column "${idColumn}", ${got}; name the column of ids with --id-column.`,
    );
  }
  return columns;
}

function firstOf(wanted: string[], names: string[]): string | undefined {
  for (const want of wanted) {
    const found = names.find((name) => name === want || name.toLowerCase() === want.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}

/** A cell as an address or an id: text without white space around it, or a number; undefined when it is neither. */
export function cellText(cell: unknown): string | undefined {
  if (typeof cell === 'number' || typeof cell === 'bigint') return String(cell);
  return typeof cell === 'string' && cell.trim() !== '' ? cell.trim() : undefined;
}
