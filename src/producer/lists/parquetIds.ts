import type { ParquetParsers, SchemaElement } from 'hyparquet';
import { ClipfleetError } from '../../shared/errors.ts';

/**
 * Values of a Parquet column as the text that is written for them elsewhere. The library's own forms lose digits: numbers of
 * DECIMAL pass through float64, timestamps through milliseconds.
 */
export const textParsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (value) => timestampText(value, 3),
  timestampFromMicroseconds: (value) => timestampText(value, 6),
  timestampFromNanoseconds: (value) => timestampText(value, 9),
  dateFromDays: (days) => new Date(days * 86_400_000).toISOString().slice(0, 10),
  stringFromBytes: (bytes) => bytes && (utf8Text(bytes) ?? hexText(bytes)),
};

/** How many digits of each DECIMAL column stand behind its point, by the column's name. */
export type DecimalScales = Map<string, number>;

/**
 * Takes the DECIMAL mark from the columns of a file, so that the library gives their whole numbers as they are.
 * Changes the elements.
 */
export function takeDecimals(elements: readonly SchemaElement[]): DecimalScales {
  const scales: DecimalScales = new Map();
  for (const element of elements) {
    const logical = element.logical_type;
    const isDecimal = element.converted_type === 'DECIMAL' || logical?.type === 'DECIMAL';
    // Of variable length they would be taken for texts.
    if (!isDecimal || element.type === 'BYTE_ARRAY') continue;
    scales.set(element.name, element.scale ?? (logical?.type === 'DECIMAL' ? logical.scale : 0));
    delete element.converted_type;
    delete element.logical_type;
  }
  return scales;
}

/** @throws USAGE where the values of the column cannot be ids */
export function requireIds({ name, type, converted_type: converted }: SchemaElement, list: string): void {
  const got =
    type === 'BOOLEAN' ? 'true and false' : converted === 'DECIMAL' ? 'DECIMAL as BYTE_ARRAY' : undefined;
  if (got === undefined) return;
  throw new ClipfleetError(
    'USAGE',
    `${list}: expected ids in the column "${name}", got ${got}; name another column with --id-column.`,
  );
}

/** A cell as text, with a DECIMAL's digits as they are; undefined for null and for what has no text. */
export function cellWritten(cell: unknown, scale: number | undefined): unknown {
  if (cell === null || cell === undefined) return undefined;
  if (scale !== undefined) return decimalText(wholeNumber(cell), scale);
  return cell instanceof Uint8Array ? hexText(cell) : cell;
}

/** Signed, the most significant byte first (parquet-format, LogicalTypes.md, DECIMAL). */
function wholeNumber(cell: unknown): bigint {
  if (!(cell instanceof Uint8Array)) return BigInt(cell as number | bigint);
  return BigInt.asIntN(8 * cell.length, BigInt(`0x${hexText(cell)}`));
}

function decimalText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  const text = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return value < 0n ? `-${text}` : text;
}

/** ISO 8601 with all digits of its unit. A time without a zone has none in its text. */
function timestampText(value: bigint, digits: number): string {
  const perSecond = 10n ** BigInt(digits);
  const fraction = ((value % perSecond) + perSecond) % perSecond;
  const seconds = Number((value - fraction) / perSecond);
  const [whole] = new Date(1_000 * seconds).toISOString().split('.');
  return `${whole}.${fraction.toString().padStart(digits, '0')}`;
}

function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function hexText(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
