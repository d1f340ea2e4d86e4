import { z } from 'zod';
import { ClipfleetError } from '../errors.ts';
import { namedTemplates, placesIn } from './templates.ts';

export const LABEL_SET_WIRE_VERSION = 1;

/** What one label set may hold. Lengths are UTF-16 units, as JavaScript counts them. */
export const labelSetLimits = {
  labels: 100_000,
  templates: 1_000,
  promptsPerLabel: 1_000,
  promptsTotal: 2_000_000,
  labelChars: 1_000,
  promptChars: 4_000,
  /** All prompts together, templates filled in: they are in memory at once while they are encoded. */
  promptCharsTotal: 200_000_000,
  /** The canonical JSON, which is stored as one value. */
  jsonChars: 64 * 1024 * 1024,
};

/** Half a surrogate pair has no UTF-8, so that neither a hash nor a tokenizer could be given it. */
const text = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .refine((value) => !/\p{Surrogate}/u.test(value), 'Expected Unicode text, without half surrogate pairs');

const labelSchema = z
  .strictObject({
    label: text(labelSetLimits.labelChars),
    /** Used as they are, instead of the templates. */
    prompts: z
      .array(text(labelSetLimits.promptChars))
      .min(1)
      .max(labelSetLimits.promptsPerLabel)
      .readonly()
      .optional(),
    /** Before the set's. */
    threshold: z.number().optional(),
    /** Takes part in the scores, is never an answer. */
    negative: z.literal(true).optional(),
  })
  .readonly();

const NO_PLACE = `Expected a template with {} or {c} where the label goes, or ${Object.keys(namedTemplates).join(' or ')}`;
const templateSchema = text(labelSetLimits.promptChars).refine((value) => placesIn(value) > 0, NO_PLACE);

/** The wire format, version 1. What is absent has a default that the id does not know of, so it is never written. */
export const labelSetSchema = z
  .strictObject({
    v: z.literal(LABEL_SET_WIRE_VERSION),
    labels: z.array(labelSchema).min(1).max(labelSetLimits.labels).readonly(),
    templates: z.array(templateSchema).min(1).max(labelSetLimits.templates).readonly(),
    /** Absent: the model's own. */
    scoreFunction: z.enum(['softmax', 'sigmoid', 'cosine', 'logit']).optional(),
    /** Divides the logits before softmax and sigmoid. Absent: 1. */
    temperature: z.number().positive().optional(),
    /** Absent: every label. */
    topK: z.int().min(1).optional(),
    /** In units of the score; a label below it is not reported. */
    threshold: z.number().optional(),
    outputs: z
      .array(z.enum(['cosine', 'logit']))
      .max(2)
      .readonly()
      .optional(),
  })
  .superRefine((set, context) => {
    for (const { path, message } of faultsOf(set)) context.addIssue({ code: 'custom', path, message });
  })
  .readonly();

/** Labels with all that decides their scores, frozen. Its name is the hash of its canonical JSON. */
export type LabelSet = z.infer<typeof labelSetSchema>;
export type ScoreFunction = NonNullable<LabelSet['scoreFunction']>;
export type Label = LabelSet['labels'][number];

/** The value as a label set. @throws LABEL_SET_INVALID naming the first faults, where they are and what was there */
export function validLabelSet(value: unknown): LabelSet {
  const result = labelSetSchema.safeParse(value);
  if (result.success) return result.data;
  const { issues } = result.error;
  const shown = issues.slice(0, FAULTS_SHOWN).map((issue) => describe(issue, value));
  const more = issues.length > FAULTS_SHOWN ? ` And ${issues.length - FAULTS_SHOWN} more.` : '';
  throw new ClipfleetError('LABEL_SET_INVALID', `The label set is not valid. ${shown.join(' ')}${more}`);
}

const FAULTS_SHOWN = 3;

/** `labels[3].threshold ("fox"): Invalid input: expected number, received string; got "high".` */
function describe(issue: { path: PropertyKey[]; message: string }, value: unknown): string {
  const place = issue.path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  const label = issue.path.length > 2 ? at(value, [...issue.path.slice(0, 2), 'label']) : undefined;
  const named = typeof label === 'string' ? ` (${preview(label)})` : '';
  return `${place.slice(1) || 'It'}${named}: ${issue.message}; got ${preview(at(value, issue.path))}.`;
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<PropertyKey, unknown> | null)?.[key], value);
}

/** A value from outside, short enough for a message. */
export function preview(value: unknown): string {
  const json = JSON.stringify(Array.isArray(value) ? value.slice(0, 80) : value) ?? 'nothing';
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}

interface Fault {
  path: PropertyKey[];
  message: string;
}

/** What no single field can say. */
function* faultsOf(set: Omit<LabelSet, 'v'>): Generator<Fault> {
  yield* repeatedLabels(set.labels);
  yield* unreachableThresholds(set);
  yield* tooManyPrompts(set);
  if (set.labels.every((label) => label.negative)) {
    yield {
      path: ['labels'],
      message: 'Expected at least one label that is not negative, or no answer is left',
    };
  }
}

function* repeatedLabels(labels: readonly Label[]): Generator<Fault> {
  const seen = new Map<string, number>();
  for (const [index, { label }] of labels.entries()) {
    const first = seen.get(label);
    if (first === undefined) seen.set(label, index);
    else
      yield { path: ['labels', index, 'label'], message: `Expected each label once, it is labels[${first}]` };
  }
}

/** A threshold outside its score's range is a mistaken unit (percent, say), and would drop all answers or none. */
function* unreachableThresholds(
  set: Pick<LabelSet, 'scoreFunction' | 'threshold' | 'labels'>,
): Generator<Fault> {
  if (set.scoreFunction === 'logit') return;
  const min = set.scoreFunction === 'cosine' ? -1 : 0;
  const score = set.scoreFunction ?? 'a probability';
  const message = `Expected a threshold of ${min} to 1, the range of ${score}`;
  const outside = (threshold = 0) => threshold < min || threshold > 1;
  if (outside(set.threshold)) yield { path: ['threshold'], message };
  for (const [index, { threshold }] of set.labels.entries()) {
    if (outside(threshold)) yield { path: ['labels', index, 'threshold'], message };
  }
}

function* tooManyPrompts({ labels, templates }: Pick<LabelSet, 'labels' | 'templates'>): Generator<Fault> {
  const { promptsTotal, promptCharsTotal } = labelSetLimits;
  const fixedChars = sum(templates.map((template) => template.length));
  const places = sum(templates.map(placesIn));
  const prompts = sum(labels.map((label) => label.prompts?.length ?? templates.length));
  const chars = sum(
    labels.map(({ label, prompts: own }) =>
      own ? sum(own.map((prompt) => prompt.length)) : fixedChars + places * label.length,
    ),
  );
  const path = ['labels'];
  if (prompts > promptsTotal) {
    yield { path, message: `Expected at most ${promptsTotal} prompts, they make ${prompts}` };
  }
  if (chars > promptCharsTotal) {
    yield { path, message: `Expected prompts of at most ${promptCharsTotal} characters, they have ${chars}` };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
