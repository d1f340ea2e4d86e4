import { readFile, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import { defineLabelSet, type LabelSetInput, labelSetLimits } from '../../shared/labels/labelSet.ts';
import { thresholdsIn } from '../../shared/labels/thresholds.ts';
import { csvCells, isLabelHeader, labelsFromCsv } from './labelCsv.ts';
import { labelsFromJson, labelsFromYaml } from './labelJson.ts';
import { labelText } from './labelText.ts';

export const LABEL_FILE_BYTES_MAX = 64 * 1024 * 1024;

type Format = 'text' | 'json' | 'yaml' | 'csv' | 'tsv';
const formats: Record<string, Format> = {
  '.txt': 'text',
  '.json': 'json',
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.csv': 'csv',
  '.tsv': 'tsv',
};

/**
 * Labels from a file, in UTF-8, or UTF-16 with a byte order mark, in one of these forms:
 *
 * - `.txt`: one label a line; blank lines and white space around a label are skipped. There are no comments: a label may
 *   start with `#`.
 * - `.json`, `.yaml`: an array of labels (strings or `{label, prompts, ...}`), an object of label to prompt or prompts, as
 *   CuPL's files are (JavaScript puts labels that are whole numbers first), a label set as an object with the array
 *   `labels`, or the classes of a data set as YOLO and COCO have them.
 * - `.csv`, `.tsv`: a header with `label` or `name`, and any of `prompt`, `threshold`, `accept`, `review`, `negative`; rows of one label gather its
 *   prompts. One column needs no header.
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
  await about(path, () => [defineLabelSet(input), thresholdsIn(input)]);
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
  if (labels.length === 0) {
    throw new ClipfleetError('USAGE', `Expected labels such as "fox,bear,owl", got ${JSON.stringify(text)}.`);
  }
  const separated = labels.length === 1 ? /[;|\t]/.exec(labels[0]!) : undefined;
  if (separated) {
    const got = `one label with ${JSON.stringify(separated[0])} in it, ${JSON.stringify(labels[0])}`;
    throw new ClipfleetError('USAGE', `Expected labels separated by commas, got ${got}. Use commas.`);
  }
  return labels;
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
    return labelText(await readFile(path));
  });
}

function sniff(text: string): Format {
  if (/^\s*[[{]/.test(text)) return 'json';
  if (/^names:\s*($|\[)/m.test(text)) return 'yaml';
  return isLabelHeader(text.split(/\r?\n/, 1)[0]!) ? 'csv' : 'text';
}

function read(format: Format, text: string): LabelSetInput {
  switch (format) {
    case 'text':
      return { labels: labelsFromLines(text) };
    case 'json':
      return labelsFromJson(text);
    case 'yaml':
      return labelsFromYaml(text);
    case 'csv':
      return { labels: labelsFromCsv(text, ',') };
    case 'tsv':
      return { labels: labelsFromCsv(text, '\t') };
  }
}

function labelsFromLines(text: string): string[] {
  const lineOf = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n|\n|\r/).entries()) {
    const label = line.trim();
    if (label === '') continue;
    refuseTab(label, index + 1);
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
  const [only] = lineOf.keys();
  if (lineOf.size === 1 && /[,;]/.test(only!)) {
    const got = `one line with ${only!.includes(';') ? 'semicolons' : 'commas'}`;
    throw usage(
      `Expected one label a line, got ${got}. Put each label on its own line, or name the file .csv.`,
    );
  }
  return [...lineOf.keys()];
}

/** A tab is never meant in a label; a spreadsheet's columns were copied. */
function refuseTab(label: string, line: number): void {
  if (!label.includes('\t')) return;
  throw usage(`Line ${line}: expected one label a line, got a tab. Name a file of columns .tsv.`);
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
