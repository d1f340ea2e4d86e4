import { ClipfleetError } from '../../shared/errors.ts';
import type { Scale } from '../score/rank.ts';

/** Residual of the logits, relative to their spread, above which they are not scale × cosine + bias. */
const RESIDUAL_MAX = 1e-2;

/**
 * Logit scale and bias from one image, N texts, and what the joint graph says of them.
 *
 * A joint graph computes `logit = scale × cosine + bias` with both baked in, so that a straight line through the points
 * (cosine, logit) gives them back; by least squares, because float32 leaves noise on each point.
 *
 * @throws MODEL_SCALE_UNKNOWN when the points are not on a line
 */
export function solveScale(image: Float32Array, texts: Float32Array, logits: Float32Array): Scale {
  const count = logits.length;
  const cosines = Array.from({ length: count }, (_, i) => {
    const text = texts.subarray(i * image.length, (i + 1) * image.length);
    return text.reduce((sum, value, d) => sum + value * image[d]!, 0);
  });
  const meanCosine = mean(cosines);
  const meanLogit = mean([...logits]);
  const spread = cosines.reduce((sum, cosine) => sum + (cosine - meanCosine) ** 2, 0);
  const together = cosines.reduce(
    (sum, cosine, i) => sum + (cosine - meanCosine) * (logits[i]! - meanLogit),
    0,
  );
  const logitScale = together / spread;
  const bias = meanLogit - logitScale * meanCosine;
  const residual = Math.max(...cosines.map((cosine, i) => Math.abs(logitScale * cosine + bias - logits[i]!)));
  const range = Math.max(...logits) - Math.min(...logits);
  if (!Number.isFinite(logitScale) || logitScale <= 0 || residual > RESIDUAL_MAX * range) {
    throw new ClipfleetError(
      'MODEL_SCALE_UNKNOWN',
      'Expected the joint graph to give logits that are a scale times the cosine plus a bias; they are not, or too alike to tell.',
    );
  }
  // CLIP has no bias; what the line leaves of one is float32 noise.
  return { logitScale, logitBias: Math.abs(bias) < 1e-3 * logitScale ? 0 : bias };
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
