import { createReadStream } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { PublicRow } from '../../shared/rows/row.ts';
import { uncertaintyOf } from './exportedRun.ts';

/** Rows that are sorted in memory; more are sorted in such parts, which lie in temporary files until they are merged. */
const PART_ROWS = 50_000;

/** The rows in another order: those of which the model is least sure first, failed ones last. */
export async function* leastSureFirst(
  rows: AsyncIterable<PublicRow>,
  partRows = PART_ROWS,
): AsyncGenerator<PublicRow> {
  let folder: string | undefined;
  let parts = 0;
  let gathered: PublicRow[] = [];
  try {
    for await (const row of rows) {
      gathered.push(row);
      if (gathered.length < partRows) continue;
      folder ??= await mkdtemp(join(tmpdir(), 'clipfleet-sort-'));
      const lines = sorted(gathered).map((each) => `${JSON.stringify(each)}\n`);
      await writeFile(join(folder, String(parts++)), lines.join(''));
      gathered = [];
    }
    const files = Array.from({ length: parts }, (_, part) => rowsIn(join(folder!, String(part))));
    yield* merged([...files, sorted(gathered)[Symbol.iterator]()]);
  } finally {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  }
}

function sorted(rows: PublicRow[]): PublicRow[] {
  return rows.sort((a, b) => placeOf(b) - placeOf(a));
}

/** The higher, the earlier. Scores may be logits, of any size. */
function placeOf(row: PublicRow): number {
  return uncertaintyOf(row) ?? -Number.MAX_VALUE;
}

async function* rowsIn(file: string): AsyncGenerator<PublicRow> {
  for await (const line of createInterface({ input: createReadStream(file) }))
    yield JSON.parse(line) as PublicRow;
}

type Rows = AsyncIterator<PublicRow> | Iterator<PublicRow>;

async function* merged(parts: readonly Rows[]): AsyncGenerator<PublicRow> {
  const heads: { row: PublicRow; rest: Rows }[] = [];
  for (const rest of parts) {
    const { done, value } = await rest.next();
    if (!done) heads.push({ row: value, rest });
  }
  while (heads.length > 0) {
    let first = 0;
    for (let i = 1; i < heads.length; i++) if (placeOf(heads[i]!.row) > placeOf(heads[first]!.row)) first = i;
    const head = heads[first]!;
    yield head.row;
    const { done, value } = await head.rest.next();
    if (done) heads.splice(first, 1);
    else head.row = value;
  }
}
