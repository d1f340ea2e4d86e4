import { begin } from '../../producer/sources/begin.ts';
import { openRowWriter } from '../../results/exports/rowWriter.ts';
import type { Context } from '../setup/context.ts';
import { printable } from './printable.ts';
import { createTable } from './table.ts';

/**
 * Prints a run's rows as a table, as lines to `output`, or both; the table gives way to standard error when rows go to
 * standard output. Resolves to the number of failed images.
 */
export async function printRows(
  { producer }: Context,
  run: string,
  what: 'table' | 'lines' | 'both',
  output: string,
): Promise<number> {
  const rows = await begin(producer.rows(run));
  const lines = what === 'table' ? undefined : await openRowWriter(output);
  const table = createTable();
  for await (const row of rows) {
    table.add(row);
    const isWanted = (await lines?.write(row)) ?? true;
    if (!isWanted) break;
  }
  await lines?.end();
  if (what !== 'lines') (lines && output === '-' ? process.stderr : process.stdout).write(table.format());
  for (const warning of await producer.runs.warnings(run)) {
    process.stderr.write(`Warning: ${printable(warning)}\n`);
  }
  return table.failed;
}
