import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExportedRun, ExportRow } from '../rows/exportedRun.ts';
import type { RowOutput } from './rowOutput.ts';
import { type OpenPart, openWholeOutput } from './wholeOutput.ts';

/** A part is finished when it has so many rows, or is so old, so that whoever follows a slow run waits no longer. */
const PART_ROWS = 50_000;
const PART_MS = 60_000;

/** Rows in a folder of parts, each a whole file or folder of its format, with a number that grows. */
export function openPartedOutput(
  folder: string,
  run: ExportedRun,
  { kind, suffix, openPart }: { kind: 'file' | 'folder'; suffix: string; openPart: OpenPart },
  { partRows = PART_ROWS, partMs = PART_MS } = {},
): RowOutput & { flush(): Promise<boolean> } {
  let part: { output: RowOutput; rows: number; startedAt: number } | undefined;
  let parts = 0;
  const leftOut: string[] = [];

  async function finish(): Promise<void> {
    if (part) leftOut.push(...(await part.output.end()));
    part = undefined;
  }

  return {
    async write(row: ExportRow) {
      if (part === undefined) {
        await mkdir(folder, { recursive: true });
        const name = `part-${String(parts++).padStart(5, '0')}${suffix}`;
        const output = await openWholeOutput(join(folder, name), kind, run, openPart);
        part = { output, rows: 0, startedAt: Date.now() };
      }
      await part.output.write(row);
      if (++part.rows >= partRows) await finish();
      return true;
    },
    async flush() {
      if (part && Date.now() - part.startedAt >= partMs) await finish();
      return true;
    },
    async end() {
      await finish();
      return leftOut;
    },
    async abandon() {
      await part?.output.abandon();
    },
  };
}
