import { readLabelFile } from '../../producer/labels/labelFile.ts';
import { createJudge, type Judge, thresholdsWith } from '../../results/decisions/judge.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { type Thresholds, thresholdsIn } from '../../shared/labels/thresholds.ts';
import type { Config } from '../../shared/options/config.ts';

/** Options of commands that show decisions. */
export const decisionNames = ['accept', 'review', 'margin', 'thresholds', 'decision'] as const;

export type DecisionConfig = Partial<Config<(typeof decisionNames)[number]>>;

/**
 * The thresholds that decide: flags before the label file that is named, or else what the run was opened with. Undefined where nobody said any.
 *
 * @throws USAGE for the file
 */
export async function thresholdsOf(
  { thresholds: file, ...flags }: DecisionConfig,
  ofRun: Thresholds | undefined,
): Promise<Thresholds | undefined> {
  const before = file === undefined ? ofRun : thresholdsIn(await readLabelFile(file));
  if (file !== undefined && !before)
    throw usage(`Expected thresholds (accept, review, margin) in ${file}, got none.`);
  return thresholdsWith(before, flags);
}

/**
 * What decides about the rows of a run; undefined where nothing does.
 *
 * @throws USAGE for thresholds that are not of this label set, and where rows of a decision are asked for and nothing decides
 */
export async function judgeOf(
  config: DecisionConfig,
  ofRun: Thresholds | undefined,
  set: LabelSet | undefined,
): Promise<Judge | undefined> {
  const thresholds = await thresholdsOf(config, ofRun);
  if (thresholds && set) return createJudge(set, thresholds);
  if (config.decision === undefined) return undefined;
  const message = `Expected thresholds for --decision ${config.decision}, the run has none: give --accept, or --thresholds FILE.`;
  throw usage(message);
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
