import { z } from 'zod';
import { ClipfleetError } from '../errors.ts';
import type { LabelSetInput } from './labelSet.ts';
import { type LabelSet, labelSetLimits, preview } from './labelSetSchema.ts';

/** In units of the score. */
const own = {
  /** The best label is accepted from this score on. */
  accept: z.number().optional(),
  /** Below it an image is rejected; 0 when absent, so that what is not accepted is for review. */
  review: z.number().optional(),
};

const labelThresholdsSchema = z
  .strictObject({ label: z.string().min(1).max(labelSetLimits.labelChars), ...own })
  .readonly();

/**
 * What decides whether an answer is accepted. It belongs to a run and not to its label set: rows do not depend on it, so a changed
 * threshold changes no id and no row.
 */
export const thresholdsSchema = z
  .strictObject({
    ...own,
    /** How far the best label must be above the next one. */
    margin: z.number().min(0).optional(),
    /** Of single labels, before those above. */
    labels: z.array(labelThresholdsSchema).max(labelSetLimits.labels).readonly().optional(),
  })
  .readonly();

export type Thresholds = z.infer<typeof thresholdsSchema>;
export type LabelThresholds = z.infer<typeof labelThresholdsSchema>;

const names = ['accept', 'review', 'margin'] as const;

/** The thresholds among what a producer says of its labels; undefined where there are none. @throws LABEL_SET_INVALID */
export function thresholdsIn(input: LabelSetInput): Thresholds | undefined {
  const labels = input.labels.flatMap((label) => {
    if (typeof label === 'string' || (label.accept === undefined && label.review === undefined)) return [];
    const { label: name, accept, review } = label;
    return [{ label: name, ...present({ accept, review }) }];
  });
  const said = present(Object.fromEntries(names.map((name) => [name, input[name]])));
  if (labels.length === 0 && Object.keys(said).length === 0) return undefined;
  return validThresholds({ ...said, ...(labels.length > 0 && { labels }) });
}

/** @throws LABEL_SET_INVALID */
function validThresholds(value: unknown): Thresholds {
  const result = thresholdsSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const message = `The thresholds are not valid. ${issue!.path.join('.')}: ${issue!.message}; got ${preview(value)}.`;
  throw new ClipfleetError('LABEL_SET_INVALID', message);
}

/**
 * Whether the thresholds are for rows of this label set.
 *
 * @throws USAGE for labels that it does not have, scores that no label can have, and a margin where rows have one label
 */
export function checkThresholds(thresholds: Thresholds, set: LabelSet): void {
  const known = new Set(set.labels.map(({ label }) => label));
  const { labels = [], margin, ...whole } = thresholds;
  checkPair('of all labels', { ...whole }, set);
  for (const { label, ...pair } of labels) {
    if (!known.has(label))
      throw usage(`Expected thresholds for labels of the run, got one for ${JSON.stringify(label)}.`);
    checkPair(`of ${JSON.stringify(label)}`, { ...whole, ...pair }, set);
  }
  if (margin !== undefined && set.topK === 1 && set.labels.length > 1)
    throw usage(
      'Expected rows with two predictions or more for a margin, the run has --top-k 1: label with --top-k 2, or leave the margin out.',
    );
}

function checkPair(of: string, { accept, review }: Omit<LabelThresholds, 'label'>, set: LabelSet): void {
  const [min, max] = rangeOf(set);
  for (const [name, score] of Object.entries({ accept, review }))
    if (score !== undefined && (score < min || score > max))
      throw usage(`Expected scores from ${min} to ${max} for the threshold ${name} ${of}, got ${score}.`);
  if (accept !== undefined && review !== undefined && review > accept)
    throw usage(
      `Expected the threshold review ${of} to be at most accept, got review ${review} and accept ${accept}.`,
    );
}

/** What scores there are. */
function rangeOf({ scoreFunction }: LabelSet): [number, number] {
  if (scoreFunction === 'logit') return [-Infinity, Infinity];
  return scoreFunction === 'cosine' ? [-1, 1] : [0, 1];
}

function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
