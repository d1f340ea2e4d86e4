import { createReadStream, createWriteStream } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ClipfleetError } from '../../shared/errors.ts';
import { jsonIn } from '../../shared/jsonIn.ts';
import { version } from '../../shared/version.ts';

/** What a command is about to do to files, one JSON line a step. It is on disk before the first file is touched, so that whoever ends the process, all can be undone. */
export interface ActionLog<Step> {
  /** When it was undone; undefined while it is not. */
  undoneAt?: string;
  /** Whether all of the plan was written. Before that nothing is done. */
  isWhole: boolean;
  steps(): AsyncGenerator<Step>;
}

export type Action = 'sort' | 'tag';

/** The last line of a plan. */
const END = '{"end":true}';

/** Writes a plan to a new file, and to disk. @throws OUTPUT_FAILED, also where the file exists */
export async function writeActionLog(
  path: string,
  about: { action: Action; run: string },
  steps: AsyncIterable<object>,
): Promise<void> {
  async function* lines() {
    yield `${JSON.stringify({ clipfleet: version, ...about, at: new Date().toISOString() })}\n`;
    for await (const step of steps) yield `${JSON.stringify(step)}\n`;
    yield `${END}\n`;
  }
  try {
    await mkdir(dirname(path), { recursive: true });
    await pipeline(Readable.from(lines()), createWriteStream(path, { flags: 'wx', flush: true }));
  } catch (error) {
    // What the rows threw has a code of its own.
    if (error instanceof ClipfleetError) throw error;
    const message = `Expected to write the log ${path}, got: ${(error as Error).message}. Nothing was changed: name another with --log.`;
    throw new ClipfleetError('OUTPUT_FAILED', message, { cause: error });
  }
}

/** @throws USAGE for a file that is no log of this action */
export async function readActionLog<Step>(path: string, action: Action): Promise<ActionLog<Step>> {
  let [count, isWhole] = [0, false];
  let undoneAt: string | undefined;
  try {
    for await (const line of linesOf(path)) {
      if (count++ === 0) requireHeader(path, action, line);
      isWhole ||= line === END;
      if (isWhole) undoneAt ??= (jsonIn(line) as { undone?: string } | undefined)?.undone;
    }
  } catch (error) {
    if (error instanceof ClipfleetError) throw error;
    throw new ClipfleetError(
      'USAGE',
      `${path}: expected a log of clipfleet ${action}, got: ${(error as Error).message}.`,
    );
  }
  if (count === 0) requireHeader(path, action, '');
  return {
    isWhole,
    ...(undoneAt !== undefined && { undoneAt }),
    async *steps() {
      let isHeader = true;
      for await (const line of linesOf(path)) {
        if (line === END) return;
        if (!isHeader) yield JSON.parse(line) as Step;
        isHeader = false;
      }
    },
  };
}

/** Says in a log that it was undone. @throws OUTPUT_FAILED */
export async function markUndone(path: string): Promise<void> {
  const line = `${JSON.stringify({ undone: new Date().toISOString() })}\n`;
  await appendFile(path, line).catch((error: Error) => {
    const message = `All is undone, but ${path} cannot say so: ${error.message}.`;
    throw new ClipfleetError('OUTPUT_FAILED', message, { cause: error });
  });
}

function linesOf(path: string): AsyncIterable<string> {
  return createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
}

function requireHeader(path: string, action: Action, line: string): void {
  const header = jsonIn(line) as { clipfleet?: string; action?: string } | undefined;
  if (header?.clipfleet !== undefined && header.action === action) return;
  throw new ClipfleetError('USAGE', `${path}: expected a log of clipfleet ${action}, got another file.`);
}
