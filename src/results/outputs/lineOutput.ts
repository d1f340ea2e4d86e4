import { openLineFile } from './lineFile.ts';
import type { LineFormat } from './lineFormat.ts';
import type { RowOutput } from './rowOutput.ts';

/** Rows as lines of a file or of standard output (`-`), written as they come. */
export interface LineOutput extends RowOutput {
  /** Writes what was gathered: a reader of the file sees every row so far. Resolves as `write`. @throws OUTPUT_FAILED */
  flush(): Promise<boolean>;
}

/** @throws OUTPUT_FAILED */
export async function openLineOutput(output: string, format: LineFormat): Promise<LineOutput> {
  const file = await openLineFile(output);
  if (format.header !== undefined) await file.write(format.header);
  return {
    write: (row) => file.write(format.line(row)),
    flush: file.flush,
    async end() {
      await file.end();
      return [];
    },
    abandon: file.end,
  };
}
