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
