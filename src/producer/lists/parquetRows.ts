import type { AsyncBuffer, ParquetScan, SchemaElement } from 'hyparquet';
import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { RangedBytes } from '../bytes/rangedBytes.ts';
import { type ColumnChoice, type Columns, cellText, requireColumns } from './listColumns.ts';
import type { ListRow } from './listRow.ts';
import { cellWritten, type DecimalScales, requireIds, takeDecimals, textParsers } from './parquetIds.ts';

/**
 * Rows that are decoded together. Row groups have a million by default, and decoded at once they would take half a
 * gigabyte; pages outside of the rows asked for are passed over without being unpacked.
 */
const DECODED_ROWS = 16_384;

/** Both columns of the row group at hand, as they are in the file. */
const SLICES_KEPT = 2;

/**
 * The rows of a Parquet file; of its columns only those of address and id are read, unless the others are wanted, those that are
 * no groups and no lists. In memory is one row group of them,
 * compressed, and some thousand rows of it.
 * `list` is its name, for messages.
 *
 * Throws USAGE when no column is known, SOURCE_INVALID for what is not Parquet or breaks off.
 */
export async function* parquetRows(
  bytes: RangedBytes,
  list: string,
  choice: ColumnChoice,
): AsyncGenerator<ListRow> {
  const { scan, leaves, scales } = await reading(list, 'what it says of itself', () => openScan(bytes));
  const names = leaves.map(({ name }) => name);
  const columns = requireColumns(names, choice, list);
  if (columns.id !== undefined) requireIds(leaves.find(({ name }) => name === columns.id)!, list);
  for (const { rowStart, rowEnd } of decodedTogether(scan)) {
    const read = (column: string) => scan.readColumn({ column, rowStart, rowEnd });
    const [urls, ids] = await reading(list, `rows ${rowStart + 1} to ${rowEnd}`, () =>
      readBoth(columns, read),
    );
    const others = await reading(list, `rows ${rowStart + 1} to ${rowEnd}`, () =>
      readOthers(choice.withOthers ? names : [], columns, read),
    );
    for (let i = 0; i < rowEnd - rowStart; i++) {
      const id = cellWritten(ids?.[i], scales.get(columns.id ?? ''));
      const row = { row: rowStart + i + 1, uri: cellText(urls[i]), id: cellText(id) };
      const cells = others.map(([name, data]) => [name, cellWritten(data[i], scales.get(name))]);
      yield choice.withOthers ? { ...row, others: Object.fromEntries(cells) } : row;
    }
  }
}

function* decodedTogether({ ranges }: ParquetScan) {
  for (const { rowStart, rowEnd } of ranges) {
    for (let from = rowStart; from < rowEnd; from += DECODED_ROWS) {
      yield { rowStart: from, rowEnd: Math.min(from + DECODED_ROWS, rowEnd) };
    }
  }
}

interface OpenScan {
  scan: ParquetScan;
  /** The columns that are no groups and no lists. */
  leaves: SchemaElement[];
  scales: DecimalScales;
}

/** The library is loaded when the first Parquet file is read, which in most runs never happens. */
async function openScan(bytes: RangedBytes): Promise<OpenScan> {
  const { parquetScan, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const file = remembering(bytes);
  const scan = await parquetScan({ file, compressors, parsers: textParsers, useOffsetIndex: false });
  // A column of images themselves, as Hugging Face has it, is a group, and holds no address.
  const leaves = parquetSchema(scan.metadata)
    .children.filter(
      ({ children, element }) => children.length === 0 && element.repetition_type !== 'REPEATED',
    )
    .map(({ element }) => element);
  return { scan, leaves, scales: takeDecimals(leaves) };
}

/** The library asks for the whole column of a row group whenever it decodes some rows of it. */
function remembering({ size, read }: RangedBytes): AsyncBuffer {
  const slices = new LRUCache<string, ArrayBuffer>({ max: SLICES_KEPT });
  return {
    byteLength: size,
    async slice(start, end = size) {
      const key = `${start}-${end}`;
      const slice = slices.get(key) ?? bufferOf(await read(start, end - start));
      slices.set(key, slice);
      return slice;
    },
  };
}

/** Copied only where the bytes are a part of a larger buffer. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): ArrayBuffer {
  const isWhole = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer;
  return isWhole ? buffer : (buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer);
}

async function readBoth<T>(
  { url, id }: Columns,
  read: (column: string) => Promise<T>,
): Promise<[T, T | undefined]> {
  return [await read(url), id === undefined ? undefined : await read(id)];
}

async function readOthers<T>(
  names: readonly string[],
  { url, id }: Columns,
  read: (column: string) => Promise<T>,
): Promise<[string, T][]> {
  const columns: [string, T][] = [];
  for (const name of names) if (name !== url && name !== id) columns.push([name, await read(name)]);
  return columns;
}

async function reading<T>(list: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ClipfleetError) throw error;
    throw new ClipfleetError(
      'SOURCE_INVALID',
      `${list}: expected a Parquet file that is whole, but ${what} cannot be read (${(error as Error).message}).`,
      { cause: error },
    );
  }
}
