import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { ClipfleetError } from '../../shared/errors.ts';

/** Takes lines, one after the other, and writes whole lines only. */
export interface LineFile {
  /** Resolves to false where the reader has gone and nothing more is wanted. @throws OUTPUT_FAILED */
  write(line: string): Promise<boolean>;
  /** Writes what was gathered; resolves as `write`. @throws OUTPUT_FAILED */
  flush(): Promise<boolean>;
  /** @throws OUTPUT_FAILED */
  end(): Promise<void>;
}

/** Lines gathered before they are written. */
const BUFFER_CHARS = 64 * 1024;

/** Opens a file for lines, empty, or standard output (`-`). @throws OUTPUT_FAILED */
export async function openLineFile(output: string): Promise<LineFile> {
  if (output === '-') return linesTo(process.stdout);
  const file = await open(output, 'w').catch((error: Error) => failed(output, error));
  return linesIn(file, output);
}

/** Where the disk is full in the middle of a line, the file is cut back to the line before. */
function linesIn(file: FileHandle, output: string): LineFile {
  let gathered = '';
  let wholeBytes = 0;

  async function flush(): Promise<void> {
    const bytes = Buffer.from(gathered);
    gathered = '';
    try {
      // Without a position, because a pipe has none.
      for (let from = 0; from < bytes.length; ) from += (await file.write(bytes, from)).bytesWritten;
      wholeBytes += bytes.length;
    } catch (error) {
      await file.truncate(wholeBytes).catch(() => {});
      await file.close();
      failed(output, error as Error);
    }
  }

  return {
    async write(line) {
      gathered += `${line}\n`;
      if (gathered.length >= BUFFER_CHARS) await flush();
      return true;
    },
    async flush() {
      await flush();
      return true;
    },
    async end() {
      await flush();
      await file.close().catch((error: Error) => failed(output, error));
    },
  };
}

/** A reader that ends early, as `head` does, is no fault. */
function linesTo(stream: Writable): LineFile {
  let broken: NodeJS.ErrnoException | undefined;
  let gathered = '';
  stream.on('error', (error) => {
    broken = error;
  });

  function flush(): Promise<boolean> {
    const text = gathered;
    gathered = '';
    return new Promise((resolve, reject) => {
      stream.write(text, (error) => {
        const fault = (error as NodeJS.ErrnoException | null | undefined) ?? broken;
        if (!fault) resolve(true);
        else if (fault.code === 'EPIPE') resolve(false);
        else reject(outputFailed('standard output', fault));
      });
    });
  }

  return {
    async write(line) {
      gathered += `${line}\n`;
      return gathered.length < BUFFER_CHARS || flush();
    },
    flush,
    async end() {
      await flush();
    },
  };
}

function failed(output: string, error: Error): never {
  throw outputFailed(output, error);
}

/** @param output what could not be written */
export function outputFailed(output: string, error: Error): ClipfleetError {
  const message = `Expected to write rows to ${output}, got: ${error.message}. The rows are kept: make room and use clipfleet export.`;
  return new ClipfleetError('OUTPUT_FAILED', message, { cause: error });
}
