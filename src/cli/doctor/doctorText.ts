import { Help } from 'commander';
import { printable } from '../terminal/printable.ts';
import type { Finding } from './finding.ts';

/** In front of each line stand its level and what it is about. */
const [LEVEL_COLUMNS, ABOUT_COLUMNS] = [9, 14];
const INDENT = LEVEL_COLUMNS + ABOUT_COLUMNS;

/**
 * A group of findings: a line each, in a narrow terminal several, and the remedy below.
 *
 * @param columns of the terminal; undefined for lines of any length
 */
export function formatFindings(group: string, findings: readonly Finding[], columns?: number): string {
  const lines = findings.flatMap(({ level, about, says, remedy }) => [
    ...beside(`${level.padEnd(LEVEL_COLUMNS)}${about.padEnd(ABOUT_COLUMNS)}`, says, columns),
    ...(remedy === undefined ? [] : beside(' '.repeat(INDENT), `→ ${remedy}`, columns)),
  ]);
  return `${group}\n${lines.map((line) => `  ${line}`.trimEnd()).join('\n')}\n`;
}

/** How it is, all in all. */
export function formatSum(findings: readonly Finding[]): string {
  const count = (level: Finding['level'], word: string) => {
    const many = findings.filter((finding) => finding.level === level).length;
    return many === 0 ? [] : [`${many} ${word}${many === 1 ? '' : 's'}`];
  };
  const said = [...count('fault', 'fault'), ...count('warning', 'warning')];
  return said.length === 0 ? 'All is well.' : `${said.join(', ')}.`;
}

function beside(head: string, text: string, columns: number | undefined): string[] {
  const shown = printable(text);
  const room = columns === undefined ? Number.POSITIVE_INFINITY : columns - INDENT - '  '.length;
  const lines = room === Number.POSITIVE_INFINITY ? [shown] : wrapped(shown, Math.max(room, 20));
  return lines.map((line, i) => (i === 0 ? `${head}${line}` : `${' '.repeat(INDENT)}${line}`));
}

/** Lines of at most so many columns. Commander breaks between words; what has no spaces, such as a path, is cut here. */
function wrapped(text: string, columns: number): string[] {
  const lines = new Help().boxWrap(text, columns).split('\n');
  return lines.flatMap((line) => {
    const pieces: string[] = [];
    for (let at = 0; at === 0 || at < line.length; at += columns) pieces.push(line.slice(at, at + columns));
    return pieces;
  });
}
