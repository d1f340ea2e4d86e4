import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { ClipfleetError } from '../errors.ts';
import {
  LABEL_SET_WIRE_VERSION,
  type Label,
  type LabelSet,
  labelSetLimits,
  preview,
  validLabelSet,
} from './labelSetSchema.ts';
import { DEFAULT_TEMPLATE, fillTemplate, resolveTemplates } from './templates.ts';

export { type LabelSet, labelSetLimits, type ScoreFunction } from './labelSetSchema.ts';

/**
 * What a producer says: a plain string for a plain label, one template or several, by text or by name. Thresholds for decisions may stand
 * beside what they are for; the label set does not have them (`thresholdsIn`).
 */
export type LabelSetInput = Partial<Omit<LabelSet, 'labels'>> & {
  labels: readonly (string | LabelInput)[];
  template?: string;
  accept?: number | undefined;
  review?: number | undefined;
  margin?: number | undefined;
};

type LabelInput = Omit<Label, 'negative'> & {
  negative?: boolean;
  accept?: number | undefined;
  review?: number | undefined;
};

/**
 * The label set in its canonical form: named templates written out, and nothing said that is the default anyway, so that
 * equal meaning has an equal id. No string is trimmed or normalised. Thresholds for decisions are left out: rows do not depend on them.
 *
 * @throws LABEL_SET_INVALID
 */
export function defineLabelSet(input: LabelSetInput): LabelSet {
  const { labels, template, templates, temperature, outputs, accept, review, margin, ...rest } = input;
  if (template !== undefined && templates !== undefined) {
    throw invalid('Expected template or templates, got both: put all of them into templates.');
  }
  const given = templates ?? [template ?? DEFAULT_TEMPLATE];
  return validLabelSet({
    v: LABEL_SET_WIRE_VERSION,
    ...present(rest),
    // What came from a file or from plain JavaScript may be of any type: the schema says so better than a TypeError.
    labels: Array.isArray(labels) ? labels.map(canonicalLabel) : labels,
    templates: Array.isArray(given) ? resolveTemplates(given) : given,
    ...(temperature !== undefined && temperature !== 1 && { temperature }),
    ...(outputs !== undefined && canonicalOutputs(outputs)),
  });
}

function canonicalLabel(label: unknown): unknown {
  if (typeof label === 'string') return { label };
  if (typeof label !== 'object' || label === null || Array.isArray(label)) return label;
  const { negative, accept, review, ...rest } = label as Record<string, unknown>;
  return { ...present(rest), ...(negative !== undefined && negative !== false && { negative }) };
}

function canonicalOutputs(outputs: unknown): object {
  if (!Array.isArray(outputs)) return { outputs };
  return outputs.length > 0 ? { outputs: [...new Set(outputs)].sort() } : {};
}

function present(fields: object): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** RFC 8785: the same characters in any language. @throws LABEL_SET_INVALID where they are too many to store. */
export function canonicalLabelSet(set: LabelSet): string {
  const json = canonicalize(set)!;
  if (json.length <= labelSetLimits.jsonChars) return json;
  throw invalid(
    `Expected at most ${labelSetLimits.jsonChars} characters of JSON, got ${json.length}: split it.`,
  );
}

/** SHA-256 of the canonical JSON, in hex. */
export function labelSetId(set: LabelSet): string {
  return createHash('sha256').update(canonicalLabelSet(set)).digest('hex');
}

/**
 * A stored label set, in any JSON spelling.
 *
 * @param expectedId the id it was stored under; another content is refused
 * @throws LABEL_SET_INVALID, or JOB_NEWER where a later Clipfleet wrote it
 */
export function parseLabelSet(json: string, expectedId?: string): LabelSet {
  if (json.length > labelSetLimits.jsonChars) {
    throw invalid(`Expected at most ${labelSetLimits.jsonChars} characters of JSON, got ${json.length}.`);
  }
  const set = validLabelSet(parsed(json));
  const id = expectedId === undefined ? undefined : labelSetId(set);
  if (id !== expectedId) {
    throw invalid(
      `Expected the label set ${expectedId}, got one whose id is ${id}: store it under its own id.`,
    );
  }
  return set;
}

function parsed(json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw invalid(`Expected JSON, got ${preview(json)} (${(cause as Error).message}).`, { cause });
  }
  const version = (value as { v?: unknown } | null)?.v;
  if (!Number.isInteger(version) || (version as number) <= LABEL_SET_WIRE_VERSION) return value;
  const expected = `Expected wire version ${LABEL_SET_WIRE_VERSION} of a label set, got ${version}`;
  throw new ClipfleetError('JOB_NEWER', `${expected}: upgrade this worker.`);
}

/** Per label what the text tower reads: the label's own prompts as they are, or each template filled in. */
export function promptsOf(set: LabelSet): string[][] {
  return set.labels.map((label) => promptsOfLabel(label, set.templates));
}

function promptsOfLabel({ label, prompts }: Label, templates: readonly string[]): string[] {
  return prompts ? [...prompts] : templates.map((template) => fillTemplate(template, label));
}

/**
 * SHA-256 of the prompts, grouped by label, in hex: what a label matrix depends on besides the model. Sets that differ in
 * thresholds, temperature or the labels' names alone share it, and so their embeddings.
 */
export function promptsKey(set: LabelSet): string {
  const hash = createHash('sha256').update('[');
  // Label by label, because all prompts of a large set in one string would be longer than a string can be.
  for (const [index, label] of set.labels.entries()) {
    if (index > 0) hash.update(',');
    hash.update(canonicalize(promptsOfLabel(label, set.templates))!);
  }
  return hash.update(']').digest('hex');
}

function invalid(message: string, options?: ErrorOptions): ClipfleetError {
  return new ClipfleetError('LABEL_SET_INVALID', message, options);
}
