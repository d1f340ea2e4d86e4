/** How far scores are from the reference's, over all images and labels; `best` counts images with the same top label. */
export function agreementOf(ours: number[][], theirs: number[][]) {
  const differences = ours.flatMap((scores, i) => scores.map((score, l) => Math.abs(score - theirs[i]![l]!)));
  const best = (scores: number[]) => scores.indexOf(Math.max(...scores));
  return {
    largest: Math.max(...differences),
    mean: differences.reduce((sum, difference) => sum + difference, 0) / differences.length,
    best: ours.filter((scores, i) => best(scores) === best(theirs[i]!)).length,
  };
}

/** Scores in the order of the labels, from predictions in any. */
export function scoresIn(
  labels: readonly string[],
  predictions: readonly { label: string; score: number }[],
): number[] {
  const scoreOf = new Map(predictions.map(({ label, score }) => [label, score]));
  return labels.map((label) => {
    const score = scoreOf.get(label);
    if (score === undefined) throw new Error(`Expected a score for '${label}'.`);
    return score;
  });
}

/** Mean absolute difference, in the units of the values. */
export function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length;
}

/** A difference of scores for a table: four decimals, or its order where these would be zeros. */
export function inFigures(difference: number): string {
  return difference === 0 || difference >= 5e-5 ? difference.toFixed(4) : difference.toExponential(0);
}
