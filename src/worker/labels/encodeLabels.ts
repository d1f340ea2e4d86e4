import { type LabelSet, promptsOf } from '../../shared/labels/labelSet.ts';
import { buildLabelMatrix } from './labelMatrix.ts';
import type { EncodedLabels } from './matrixStore.ts';

/** Unit embeddings of N prompts, N × D, and the places of those that had to be cut to fit the text tower. */
export type EmbedTexts = (
  prompts: readonly string[],
) => Promise<{ embeddings: Float32Array; truncated: readonly number[] }>;

/** The label matrix of a label set under the model whose text tower `embedTexts` is. @throws what `embedTexts` throws */
export async function encodeLabels(embedTexts: EmbedTexts, labelSet: LabelSet): Promise<EncodedLabels> {
  const prompts = promptsOf(labelSet);
  const { embeddings, truncated } = await embedTexts(prompts.flat());
  const counts = prompts.map((ofLabel) => ofLabel.length);
  const dimensions = embeddings.length / prompts.flat().length;
  return {
    matrix: buildLabelMatrix(embeddings, counts, dimensions),
    truncated: labelsAt(truncated, counts),
  };
}

/** Places of prompts, laid end to end, as places of the labels they belong to. */
function labelsAt(promptPlaces: readonly number[], counts: readonly number[]): number[] {
  const wanted = new Set(promptPlaces);
  const labels: number[] = [];
  let from = 0;
  counts.forEach((count, label) => {
    for (let place = from; place < from + count; place++) {
      if (wanted.has(place) && labels.at(-1) !== label) labels.push(label);
    }
    from += count;
  });
  return labels;
}
