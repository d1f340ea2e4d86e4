import stringWidth from 'string-width';

/** Text as it can be shown in a terminal: a file's name or a label may hold control sequences. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\u{fffd}');
}

/** Cut to a width in terminal columns, where a Chinese character or an emoji takes two. */
export function fit(text: string, columns: number): string {
  const shown = printable(text);
  if (stringWidth(shown) <= columns) return shown;
  let cut = '';
  for (const character of shown) {
    if (stringWidth(`${cut}${character}…`) > columns) break;
    cut += character;
  }
  return `${cut}…`;
}

/** The end of a text, cut to a width: of a path, what tells files apart is at its end. */
export function fitEnd(text: string, columns: number): string {
  const shown = printable(text);
  if (stringWidth(shown) <= columns) return shown;
  let cut = '';
  for (const character of [...shown].reverse()) {
    if (stringWidth(`…${character}${cut}`) > columns) break;
    cut = character + cut;
  }
  return `…${cut}`;
}

/** Columns padded to their widest cell, two spaces apart. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, stringWidth(cell));
    });
  }
  const padded = (cell: string, column: number) => cell + ' '.repeat(widths[column]! - stringWidth(cell));
  return rows.map((row) => row.map(padded).join('  ').trimEnd()).join('\n');
}

/** Narrower, a column says nothing any more. */
const COLUMN_MIN = 6;

/**
 * The same in a terminal of so many columns: the columns named in `shrink` are cut, the widest first.
 *
 * @param columns undefined for lines of any length
 */
export function fitColumns(
  rows: readonly (readonly string[])[],
  shrink: readonly number[],
  columns: number | undefined,
): string {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, i) => Math.max(widest[i] ?? 0, stringWidth(cell))),
    [],
  );
  const total = () => widths.reduce((sum, width) => sum + width + 2, -2);
  while (columns !== undefined && total() > columns) {
    const widest = shrink.toSorted((a, b) => widths[b]! - widths[a]!)[0];
    if (widest === undefined || widths[widest]! <= COLUMN_MIN) break;
    widths[widest]!--;
  }
  return alignColumns(rows.map((row) => row.map((cell, i) => fit(cell, widths[i]!))));
}
