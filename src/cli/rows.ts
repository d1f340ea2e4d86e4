import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ClipfleetError } from '../shared/errors.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import { type PublicRow, publicRow, type Row } from '../shared/row.ts';
import type { Run } from '../shared/runs.ts';

/** Up to so many rows are held in memory to give them in the order of the input; more come as the store has them. */
const SORTED_ROWS_MAX = 100_000;

/** The rows of a run, each once. */
export async function* readRows(store: ResultsStore, run: Run): AsyncGenerator<PublicRow> {
  const pages = eachRowOnce(store, run.run);
  if (run.images > SORTED_ROWS_MAX) {
    for await (const row of pages) yield publicRow(row, run);
    return;
  }
  const rows: Row[] = [];
  for await (const row of pages) rows.push(row);
  rows.sort((a, b) => a.place.chunk - b.place.chunk || a.place.index - b.place.index);
  for (const row of rows) yield publicRow(row, run);
}

/** A page may repeat rows of an earlier one while the run is written to. */
async function* eachRowOnce(store: ResultsStore, run: string): AsyncGenerator<Row> {
  const seen = new Set<string>();
  let cursor: string | undefined;
  do {
    const page = await store.getRows(run, cursor);
    for (const row of page.rows) {
      if (seen.has(row.id)) continue;
      seen.add(row.id);
      yield row;
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
}

/** A file or standard output (`-`) that takes rows as JSON lines. */
export async function openJsonLines(
  output: string,
): Promise<{ write(row: unknown): Promise<void>; end(): Promise<void> }> {
  const stream: Writable = output === '-' ? process.stdout : createWriteStream(output);
  let broken: Error | undefined;
  stream.once('error', (error) => {
    broken = error;
  });
  if (output !== '-') await once(stream, 'open').catch((error: Error) => failWriting(output, error));
  return {
    async write(row) {
      if (broken) failWriting(output, broken);
      if (!stream.write(`${JSON.stringify(row)}\n`))
        await once(stream, 'drain').catch((error: Error) => failWriting(output, error));
    },
    async end() {
      if (output === '-') return;
      stream.end();
      await finished(stream).catch((error: Error) => failWriting(output, error));
    },
  };
}

function failWriting(output: string, error: Error): never {
  throw new ClipfleetError('USAGE', `Expected to write rows to ${output}, got: ${error.message}.`, {
    cause: error,
  });
}
