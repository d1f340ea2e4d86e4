import type { ImageBatches } from './imageBatches.ts';

/** What the first batches, of blank images, tell of a session. */
export interface FirstBatch {
  /** D, the length of an embedding. */
  dimensions: number;
  /** How long the first full batch took. */
  firstBatchMs: number;
  /** Whether the embeddings were finite numbers. */
  isBlankFinite: boolean;
}

/** Runs each of the sizes, the largest first, so that memory is claimed once. */
export async function warmUp(
  images: ImageBatches,
  sizes: readonly number[],
  imageBytes: number,
): Promise<FirstBatch> {
  let [dimensions, firstBatchMs, isBlankFinite] = [0, 0, true];
  for (const size of sizes.toReversed()) {
    const startedAt = performance.now();
    const embeddings = await images.embed(new Uint8Array(size * imageBytes), size);
    dimensions = embeddings.length / size;
    firstBatchMs ||= performance.now() - startedAt;
    isBlankFinite = embeddings.every(Number.isFinite);
  }
  return { dimensions, firstBatchMs, isBlankFinite };
}
