import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { checkThresholds, type Thresholds } from '../../shared/labels/thresholds.ts';
import type { Prediction } from '../../shared/rows/prediction.ts';
import type { PublicRow } from '../../shared/rows/row.ts';

export const decisions = ['accept', 'review', 'reject'] as const;

/** What is to be done with an answer: take it, let a person look at it, or leave it. */
export type Decision = (typeof decisions)[number];

/** A label that a row gives its image, and what is to be done with it. */
export interface Answer {
  label: string;
  score: number;
  decision: Decision;
}

/** A row, as thresholds see it. */
export interface Judged {
  /** Of the image: that of its answer, or of several the best. */
  decision: Decision;
  /** The best label; every one that is not rejected where an image may have several. Of a rejected image the best one too, where it has one. */
  answers: readonly Answer[];
}

/** Undefined of rows without labels: those of failed images, and of runs for vectors alone. */
export type Judge = (row: PublicRow) => Judged | undefined;

/** Whether an image may have several labels: independent scores, and a threshold above which each is an answer. */
export function givesSeveral(
  { scoreFunction, threshold, labels }: LabelSet,
  thresholds?: Thresholds,
): boolean {
  const leaves = threshold !== undefined || labels.some((label) => label.threshold !== undefined);
  return scoreFunction === 'sigmoid' && (leaves || thresholds !== undefined);
}

/**
 * What thresholds make of the rows of a label set. Nothing of it is stored: other thresholds are another judge.
 *
 * The best label is accepted from `accept` on, if it leads the next one by `margin`. What is not is for review from `review` on, and
 * else rejected, as is an image all of whose labels are below their threshold. Where an image may have several labels each stands for
 * itself, and there is no margin.
 *
 * @throws USAGE for thresholds that are not of this label set
 */
export function createJudge(set: LabelSet, thresholds: Thresholds): Judge {
  checkThresholds(thresholds, set);
  const own = new Map(thresholds.labels?.map((label) => [label.label, label]));
  const decide = createDecide(thresholds, own);
  const several = givesSeveral(set, thresholds);
  return (row) => {
    if (row.status !== 'classified') return undefined;
    return several ? judgeSeveral(row.predictions, decide) : judgeBest(row.predictions, decide, thresholds);
  };
}

/** Thresholds with others said on top of them; undefined where there are none of either. */
export function thresholdsWith(
  before: Thresholds | undefined,
  { accept, review, margin }: Omit<Thresholds, 'labels'>,
): Thresholds | undefined {
  const said = Object.entries({ accept, review, margin }).filter(([, value]) => value !== undefined);
  return before || said.length > 0 ? { ...before, ...Object.fromEntries(said) } : undefined;
}

type Decide = (prediction: Prediction, leads?: boolean) => Decision;

function createDecide(
  whole: Thresholds,
  own: ReadonlyMap<string, { accept?: number | undefined; review?: number | undefined }>,
): Decide {
  return ({ label, score }, leads = true) => {
    const { accept = whole.accept ?? Infinity, review = whole.review ?? -Infinity } = own.get(label) ?? {};
    // Scores are float32, and a bound is meant as it is typed: 0.7 is not above the float32 0.7.
    if (leads && score >= Math.fround(accept)) return 'accept';
    return score >= Math.fround(review) ? 'review' : 'reject';
  };
}

function judgeBest(
  [best, second]: readonly Prediction[],
  decide: Decide,
  { margin = 0 }: Thresholds,
): Judged {
  if (best === undefined) return { decision: 'reject', answers: [] };
  // What a row leaves out is below the threshold of its label set; a row has two labels at least where a margin is asked for.
  const lead = second === undefined ? Infinity : Math.fround(best.score - second.score);
  const decision = decide(best, lead >= Math.fround(margin));
  return { decision, answers: [{ label: best.label, score: best.score, decision }] };
}

function judgeSeveral(predictions: readonly Prediction[], decide: Decide): Judged {
  const answers = predictions.map((prediction) => {
    const { label, score } = prediction;
    return { label, score, decision: decide(prediction) };
  });
  const kept = answers.filter(({ decision }) => decision !== 'reject');
  const decision = decisions.find((each) => answers.some((answer) => answer.decision === each)) ?? 'reject';
  return { decision, answers: kept.length > 0 ? kept : answers.slice(0, 1) };
}
