import { defineLabelSet } from '../src/shared/labels/labelSet.ts';
import type { ImageRef } from '../src/shared/refs/imageRef.ts';
import type { RankedLabel } from '../src/shared/rows/prediction.ts';
import type { Row } from '../src/shared/rows/row.ts';

// What the fleet of bench/fleet.ts works at, in its parent, its worker processes and the bare client beside them.

export const prefix = 'clipfleet';
export const model = 'Xenova/clip-vit-base-patch32@3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268:fp32';
export const fingerprint = 'f'.repeat(64);
export const labelSet = defineLabelSet({ labels: Array.from({ length: 1_000 }, (_, i) => `thing ${i}`) });

/** Ids of nine characters, and uris of 22. */
export function* imageRefs(count: number): Generator<ImageRef> {
  for (let i = 0; i < count; i++) {
    const id = `img${String(i).padStart(6, '0')}`;
    yield { id, uri: `pictures/${id}.jpg` };
  }
}

/** Five labels, other ones for each image. */
export function predictionsOf(id: string): RankedLabel[] {
  const first = Number(id.slice(3));
  return [0.9123, 0.0412, 0.0212, 0.0112, 0.0012].map((score, i) => ({
    index: (first + 7 * i) % 1_000,
    score,
  }));
}

/** What a worker stores of an image. */
export function rowOf(ref: ImageRef, chunk: number, index: number): Row {
  const base = { ...ref, generation: 0, place: { chunk, index }, at: 1_767_225_600 };
  return { ...base, status: 'classified', predictions: predictionsOf(ref.id), fingerprint };
}
