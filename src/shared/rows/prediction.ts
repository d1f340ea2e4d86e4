/** One label and what the model gives it, in the shape of the zero-shot pipeline. */
export interface Prediction extends Scores {
  label: string;
}

/** A prediction whose label is named by its place in the label set: what goes between threads and into rows. */
export interface RankedLabel extends Scores {
  index: number;
}

interface Scores {
  score: number;
  /** Before the score function, when the label set asks for it. */
  logit?: number;
  /** Of image and label embedding, when the label set asks for it. */
  cosine?: number;
}

/** The labels by name, in the same order. */
export function nameLabels(
  ranked: readonly RankedLabel[],
  labels: readonly { label: string }[],
): Prediction[] {
  return ranked.map(({ index, ...scores }) => ({ label: labels[index]!.label, ...scores }));
}
