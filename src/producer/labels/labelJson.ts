import { parse as parseStrictly } from 'lossless-json';
import { parse as parseYaml } from 'yaml';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSetInput } from '../../shared/labels/labelSet.ts';
import { lineAt } from './labelText.ts';

type Members = Record<string, unknown>;

/**
 * Labels of a JSON text: an array of labels (strings or `{label, prompts, ...}`), an object of label to prompt or prompts, a
 * label set with the array `labels`, the classes of a data set (`names` as YOLO has them, a list or an object of numbers;
 * `categories` as COCO has them).
 *
 * @throws USAGE
 */
export function labelsFromJson(text: string): LabelSetInput {
  const value = parsedJson(text);
  refuseRepeatedMembers(text);
  return inputFrom(value, 'JSON');
}

/** The same in YAML. @throws USAGE */
export function labelsFromYaml(text: string): LabelSetInput {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    const [message] = (cause as Error).message.split('\n');
    throw usage(`expected YAML, got: ${message} Name the file .txt if it has one label a line.`);
  }
  return inputFrom(value, 'YAML');
}

function inputFrom(value: unknown, language: string): LabelSetInput {
  // What the types promise here, the label set's schema checks in readLabelFile.
  if (Array.isArray(value)) return { labels: value };
  if (typeof value !== 'object' || value === null) {
    throw usage(`Expected a ${language} array of labels or an object, got ${JSON.stringify(value)}.`);
  }
  const members = value as Members;
  if (Array.isArray(members.labels)) return members as unknown as LabelSetInput;
  const classes = classesOf(members);
  if (classes) return { labels: classes };
  const odd = Object.entries(members).find(([, prompts]) => !isPrompts(prompts));
  if (odd) {
    const [label, prompts] = odd;
    const got = `${JSON.stringify(label)}: ${JSON.stringify(prompts)?.slice(0, 60)}`;
    throw usage(
      `Expected an object of label to prompt or prompts, or a member "labels" or "names", got ${got}.`,
    );
  }
  const labels = Object.entries(members).map(([label, prompts]) => ({
    label,
    prompts: typeof prompts === 'string' ? [prompts] : (prompts as string[]),
  }));
  return { labels };
}

/** The classes of a data set's own file, in their order. */
function classesOf({ names, categories }: Members): string[] | undefined {
  if (Array.isArray(categories)) {
    const named = categories.map((category: { name?: unknown } | null) => category?.name);
    if (named.every((name) => typeof name === 'string')) return named;
  }
  // A label `names` with one prompt or several is an object of labels; classes are named by numbers, or listed alone.
  if (typeof names !== 'object' || names === null) return undefined;
  const listed = Object.entries(names).every(([key, name]) => /^\d+$/.test(key) && typeof name === 'string');
  return listed ? Object.values(names) : undefined;
}

function isPrompts(value: unknown): boolean {
  return (
    typeof value === 'string' || (Array.isArray(value) && value.every((each) => typeof each === 'string'))
  );
}

/** JSON.parse takes the last of two members of one name, and the prompts of the first are lost. */
function refuseRepeatedMembers(text: string): void {
  parseStrictly(text.replace(/^\uFEFF/, ''), null, {
    onDuplicateKey({ key, position }) {
      throw usage(
        `Line ${lineAt(text, position)}: expected each label once, got ${JSON.stringify(key)} again.`,
      );
    },
  });
}

function parsedJson(text: string): unknown {
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

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
