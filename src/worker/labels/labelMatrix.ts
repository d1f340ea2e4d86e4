import { ClipfleetError } from '../../shared/errors.ts';
import { lengthOf, unit } from '../onnx/vectors.ts';

/**
 * The text embeddings of a label set, one unit-length row a label, in the set's order.
 *
 * Embeddings are float32, as the towers give them. The arithmetic here is float64, which every JavaScript number is: it
 * costs nothing, and scores differ from the reference's float32 by the reference's rounding alone.
 */
export interface LabelMatrix {
  /** `labels` × `dimensions`, row after row; in shared memory, so that a thread is given it without a copy. */
  data: Float32Array;
  labels: number;
  dimensions: number;
}

/**
 * One row a label: the mean of its prompts' unit vectors, made unit again. So do CLIP's authors (OpenAI's CLIP,
 * `notebooks/Prompt_Engineering_for_ImageNet.ipynb`, `zeroshot_classifier`).
 *
 * @param promptEmbeddings prompts × `dimensions`, label after label as `countsPerLabel` says, of any length above 0
 * @throws INFERENCE_FAILED where an embedding has no direction, INTERNAL where the sizes do not belong together
 */
export function buildLabelMatrix(
  promptEmbeddings: Float32Array,
  countsPerLabel: readonly number[],
  dimensions: number,
): LabelMatrix {
  const prompts = countsPerLabel.reduce((sum, count) => sum + count, 0);
  const labels = countsPerLabel.length;
  if (promptEmbeddings.length !== prompts * dimensions || countsPerLabel.some((count) => count < 1)) {
    const got = `${promptEmbeddings.length} numbers for ${prompts} prompts of ${labels} labels`;
    throw new ClipfleetError('INTERNAL', `Expected embeddings of ${dimensions} for each label, got ${got}.`);
  }
  const data = sharedFloats(labels * dimensions);
  let next = 0;
  for (const [label, count] of countsPerLabel.entries()) {
    const sum = new Float64Array(dimensions);
    for (const end = next + count; next < end; next++) {
      const prompt = promptEmbeddings.subarray(next * dimensions, (next + 1) * dimensions);
      const length = lengthOf(prompt);
      for (let i = 0; i < dimensions; i++) sum[i]! += prompt[i]! / length;
    }
    // The mean is the sum by the count, and the count goes away in the unit vector.
    data.set(unit(sum), label * dimensions);
  }
  return { data, labels, dimensions };
}

export function sharedFloats(count: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(count * Float32Array.BYTES_PER_ELEMENT));
}
