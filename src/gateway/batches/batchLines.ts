import { createHash } from 'node:crypto';
import { z } from 'zod';
import { linesOf } from '../../producer/bytes/lines.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { jsonIn } from '../../shared/jsonIn.ts';

/** A line of a batch's file: a request, or why it is none. */
export interface BatchLine {
  /** From 1, as people count lines. */
  number: number;
  /** Null where the line has none that can be read. */
  customId: string | null;
  body?: unknown;
  fault?: ClipfleetError;
}

/** Lines that are answered together. */
export interface BatchWindow {
  number: number;
  lines: BatchLine[];
}

/** As OpenAI has it. */
const LINES_MAX = 50_000;
const CUSTOM_ID_CHARS_MAX = 512;

/**
 * How much is asked together: so much is in memory and in Redis, a few times. A gateway that goes on with a batch cuts its file
 * anew, and must cut it alike: another number here is another name for `window:` in the batch's record.
 */
const WINDOW_WEIGHT_MAX = 256;
const WINDOW_BYTES_MAX = 4 * 1024 * 1024;

const lineSchema = z.looseObject({
  custom_id: z.string().min(1).max(CUSTOM_ID_CHARS_MAX),
  method: z.literal('POST'),
  url: z.string(),
  body: z.looseObject({}),
});

/** What is known of a file before its first line is answered. */
export interface BatchSurvey {
  total: number;
  /** The numbers of lines whose custom_id came before. */
  repeated: ReadonlySet<number>;
}

/** Looks through the whole file. @throws BATCH_INVALID where it has no lines or too many, or one of them is too long */
export async function surveyBatch(bytes: AsyncIterable<Uint8Array>): Promise<BatchSurvey> {
  const seen = new Set<string>();
  const repeated = new Set<number>();
  let total = 0;
  for await (const { number, text } of filledLines(bytes)) {
    if (++total > LINES_MAX) throw invalid(`Expected at most ${LINES_MAX} lines, got more.`);
    const customId = (jsonIn(text) as { custom_id?: unknown } | null | undefined)?.custom_id;
    if (typeof customId !== 'string') continue;
    const known = createHash('sha256').update(customId).digest('base64');
    if (seen.has(known)) repeated.add(number);
    seen.add(known);
  }
  if (total === 0) throw invalid('Expected a line of JSON for each request, got an empty file.');
  return { total, repeated };
}

/**
 * The lines of a file in windows, which are the same each time.
 *
 * @param weigh how much a request asks for; a window has one line, or 256 together
 */
export async function* windowsOf(
  bytes: AsyncIterable<Uint8Array>,
  {
    endpoint,
    repeated,
    weigh,
  }: { endpoint: string; repeated: ReadonlySet<number>; weigh: (body: unknown) => number },
): AsyncGenerator<BatchWindow> {
  let window: BatchWindow = { number: 0, lines: [] };
  let [weight, size] = [0, 0];
  for await (const { number, text } of filledLines(bytes)) {
    const line = lineOf(number, text, endpoint, repeated.has(number));
    const more = line.fault ? 1 : weigh(line.body);
    const isFull = weight + more > WINDOW_WEIGHT_MAX || size + text.length > WINDOW_BYTES_MAX;
    if (isFull && window.lines.length > 0) {
      yield window;
      window = { number: window.number + 1, lines: [] };
      [weight, size] = [0, 0];
    }
    window.lines.push(line);
    weight += more;
    size += text.length;
  }
  if (window.lines.length > 0) yield window;
}

function lineOf(number: number, text: string, endpoint: string, isRepeated: boolean): BatchLine {
  const given = jsonIn(text);
  const said = (given as { custom_id?: unknown } | null | undefined)?.custom_id;
  const customId = typeof said === 'string' ? said.slice(0, CUSTOM_ID_CHARS_MAX) : null;
  const faulty = (why: string): BatchLine => {
    return { number, customId, fault: new ClipfleetError('REQUEST_INVALID', `line ${number}: ${why}.`) };
  };
  if (given === undefined) return faulty(`expected JSON, got ${JSON.stringify(text.slice(0, 100))}`);
  const { success, data, error } = lineSchema.safeParse(given);
  if (!success) {
    const { path, message } = error.issues[0]!;
    return faulty([...path, message].join(': '));
  }
  if (data.url !== endpoint)
    return faulty(`expected the url ${endpoint} of the batch, got ${JSON.stringify(data.url.slice(0, 100))}`);
  if (isRepeated) return faulty(`expected a custom_id of its own, ${JSON.stringify(customId)} came before`);
  return { number, customId, body: data.body };
}

async function* filledLines(
  bytes: AsyncIterable<Uint8Array>,
): AsyncGenerator<{ number: number; text: string }> {
  let number = 0;
  const groups = linesOf(bytes)[Symbol.asyncIterator]();
  try {
    for (;;) {
      const group = await groups.next().catch((cause: Error & { code?: string }) => {
        // Errors of the file system have a code; a line that is too long is told by words alone.
        throw cause.code === undefined ? invalid(`Expected lines of requests, got ${cause.message}.`) : cause;
      });
      if (group.done) return;
      for (const text of group.value) {
        number++;
        if (text.trim() !== '') yield { number, text };
      }
    }
  } finally {
    await groups.return(undefined);
  }
}

function invalid(message: string): ClipfleetError {
  return new ClipfleetError('BATCH_INVALID', message);
}
