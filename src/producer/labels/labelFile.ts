import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import { defineLabelSet, type LabelSetInput, labelSetLimits } from '../../shared/labels/labelSet.ts';
import { CSV_COLUMNS, csvCells, labelsFromCsv } from './labelCsv.ts';

export const LABEL_FILE_BYTES_MAX = 64 * 1024 * 1024;

type Format = 'text' | 'json' | 'csv';
const formats: Record<string, Format> = { '.txt': 'text', '.json': 'json', '.csv': 'csv' };

/**
 * Labels from a file, in UTF-8 with or without a byte order mark, in one of these forms:
 *
 * - `.txt`: one label a line; blank lines and white space around a label are skipped. There are no comments: a label may
 *   start with `#`.
 * - `.json`: an array of labels (strings or `{label, prompts, ...}`), an object of label to prompt or prompts, as CuPL's
 *   files are (JavaScript puts labels that are whole numbers first), or a label set as an object with the array `labels`.
 * - `.csv`: a header with `label` and any of `prompt`, `threshold`, `negative`; rows of one label gather its prompts.
 *
 * Under any other name the first characters decide.
 *
 * @throws USAGE with the file, the line where there is one, what was expected and what was there
 */
export async function readLabelFile(path: string): Promise<LabelSetInput> {
  const text = await readText(path);
  const format = formats[extname(path).toLowerCase()] ?? sniff(text);
  const input = await about(path, () => read(format, text));
  // The label set's own rules, checked here too because only here the message can name the file.
  await about(path, () => defineLabelSet(input));
  return input;
}

/**
 * `fox, bear, "cats, dogs"`: labels of a command line, with commas between and quotes as in CSV around one that has a
 * comma. White space around labels and empty ones are skipped.
 *
 * @throws USAGE where no label is left, or a quote is not closed
 */
export function parseLabelsFlag(text: string): string[] {
  const labels = csvCells(text).filter((label) => label !== '');
  if (labels.length > 0) return labels;
  throw new ClipfleetError('USAGE', `Expected labels such as "fox,bear,owl", got ${JSON.stringify(text)}.`);
}

/** Any failure of `task` as a USAGE error that begins with the file. */
async function about<T>(path: string, task: () => T | Promise<T>): Promise<T> {
  try {
    return await task();
  } catch (thrown) {
    const { message } = asClipfleetError(thrown, 'USAGE');
    throw new ClipfleetError('USAGE', `Label file ${path}: ${message}`, { cause: thrown });
  }
}

async function readText(path: string): Promise<string> {
  return about(path, async () => {
    const found = await stat(path);
    if (!found.isFile()) throw usage('Expected a file, got a folder or a device.');
    if (found.size > LABEL_FILE_BYTES_MAX) {
      throw usage(`Expected at most ${LABEL_FILE_BYTES_MAX} bytes, got ${found.size}: split the labels.`);
    }
    return decode(await readFile(path));
  });
}

/** UTF-8 and nothing else: labels of a wrongly guessed encoding would look right in the file and be wrong to the model. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    const readable = new TextDecoder('utf-8').decode(bytes);
    const line = lineAt(readable, readable.indexOf('\uFFFD'));
    throw usage(`Line ${line}: expected UTF-8, got bytes that are not. Save the file as UTF-8.`);
  }
}

function sniff(text: string): Format {
  if (/^\s*[[{]/.test(text)) return 'json';
  const header = text
    .split(/\r?\n/, 1)[0]!
    .split(',')
    .map((cell) => cell.trim().toLowerCase());
  return header.includes('label') && header.every((cell) => CSV_COLUMNS.includes(cell)) ? 'csv' : 'text';
}

function read(format: Format, text: string): LabelSetInput {
  switch (format) {
    case 'text':
      return { labels: labelsFromLines(text) };
    case 'json':
      return inputFromJson(parseJson(text));
    case 'csv':
      return { labels: labelsFromCsv(text) };
  }
}

function labelsFromLines(text: string): string[] {
  const lineOf = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const label = line.trim();
    if (label === '') continue;
    const first = lineOf.get(label);
    if (first !== undefined) {
      throw usage(
        `Line ${index + 1}: expected each label once, got ${JSON.stringify(label)} of line ${first} again.`,
      );
    }
    if (lineOf.size === labelSetLimits.labels) {
      throw usage(
        `Line ${index + 1}: expected at most ${labelSetLimits.labels} labels, got more: split them.`,
      );
    }
    lineOf.set(label, index + 1);
  }
  if (lineOf.size === 0) throw usage('Expected one label a line, got none.');
  return [...lineOf.keys()];
}

function inputFromJson(value: unknown): LabelSetInput {
  // What the types promise here, the label set's schema checks in readLabelFile.
  if (Array.isArray(value)) return { labels: value };
  if (typeof value !== 'object' || value === null) {
    throw usage(`Expected a JSON array of labels or an object, got ${JSON.stringify(value)}.`);
  }
  if ('labels' in value && Array.isArray(value.labels)) return value as LabelSetInput;
  const labels = Object.entries(value).map(([label, prompts]) => ({
    label,
    prompts: typeof prompts === 'string' ? [prompts] : prompts,
  }));
  return { labels };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = (cause as SyntaxError).message;
    const offset = faultOffset(text, message);
    const line = offset === undefined ? '' : `Line ${lineAt(text, offset)}: `;
    const got = message.replace(/\s+/g, ' ');
    throw usage(`${line}expected JSON, got: ${got}. Name the file .txt if it has one label a line.`);
  }
}

/**
 * Where JSON breaks off. V8 says it as an offset, or as the end, or quotes the place with 10 characters before it; of a
 * place that the text has twice, or near its beginning, the quote is all there is.
 */
function faultOffset(text: string, message: string): number | undefined {
  const offset = /at position (\d+)/.exec(message)?.[1];
  if (offset !== undefined) return Number(offset);
  if (message.includes('end of JSON input')) return text.length;
  const quote = /\.\.\."([\s\S]*)"(\.\.\.)? is not valid JSON$/.exec(message)?.[1];
  if (quote === undefined || text.indexOf(quote) !== text.lastIndexOf(quote)) return undefined;
  return text.indexOf(quote) + 10;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
