/** Of a terminal that does not say its width. */
const COLUMNS_DEFAULT = 80;
const COLUMNS_MIN = 40;

type Screen = Pick<NodeJS.WriteStream, 'isTTY' | 'columns' | 'write'>;

/** The columns of a terminal; undefined where a file or a program reads, which takes lines of any length. */
export function columnsOf({ isTTY, columns }: Pick<Screen, 'isTTY' | 'columns'>): number | undefined {
  return isTTY ? Math.max(columns || COLUMNS_DEFAULT, COLUMNS_MIN) : undefined;
}

/**
 * Writes whole lines. On a terminal the line at hand is erased first: a bar may stand there, or the ^C that the terminal
 * itself shows. The bar is drawn again below.
 */
export function say(text: string, screen: Screen = process.stderr): void {
  screen.write(screen.isTTY ? `\r\u001b[K${text}\n` : `${text}\n`);
}
