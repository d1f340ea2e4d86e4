import type { Pixels } from '../decode/decode.ts';
import type { LoadedModel } from '../model/loadModel.ts';

type Sized = Pick<LoadedModel, 'preprocessing'>;
type Embedding = Pick<LoadedModel, 'session'>;

/** Images that are embedded together, to be compared with each alone. */
export const VERIFY_BATCH = 32;

export const VERIFY_TEXTS = ['a photo of a cat', 'This is a photo of owl.', 'red car', 'the sea at night'];

/** Images that differ and have edges: a little generator with a fixed seed (Park and Miller's). */
export function patterns(count: number, { preprocessing: { width, height } }: Sized): Pixels[] {
  let state = 1;
  return Array.from({ length: count }, (_, image) => {
    const data = new Uint8Array(width * height * 3);
    for (let i = 0; i < data.length; i++) {
      state = (state * 48_271) % 2_147_483_647;
      const stripe = (i >> (image % 9)) & 1 ? 120 : 0;
      data[i] = (state % 136) + stripe;
    }
    return { data, width, height };
  });
}

/** Unit embeddings of images, laid end to end. */
export async function embed({ session }: Embedding, images: Pixels[]): Promise<Float32Array> {
  const pixels = Buffer.concat(images.map(({ data }) => data));
  return session.embedImages(Uint8Array.from(pixels), images.length);
}

/** The `i`th of embeddings laid end to end. */
export function rowOf(rows: Float32Array, i: number, { session: { dimensions } }: Embedding): Float32Array {
  return rows.subarray(i * dimensions, (i + 1) * dimensions);
}

/** Cosine distance of two unit vectors. */
export function distance(a: Float32Array, b: Float32Array): number {
  return Math.max(0, 1 - a.reduce((sum, value, i) => sum + value * b[i]!, 0));
}
