import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ClipfleetError } from '../../shared/errors.ts';

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

/** Says before the work, not after it, that its rows cannot be written. What is in the file stays. @throws USAGE */
export async function checkWritable(output: string): Promise<void> {
  if (output === '-') return;
  const file = await open(output, 'a').catch((error: Error) => failWriting(output, error));
  await file.close();
}

function failWriting(output: string, error: Error): never {
  throw new ClipfleetError('USAGE', `Expected to write rows to ${output}, got: ${error.message}.`, {
    cause: error,
  });
}
