import { defineLabelSet, type LabelSet, type LabelSetInput } from '../shared/labels/labelSet.ts';
import { type Thresholds, thresholdsIn } from '../shared/labels/thresholds.ts';
import type { ImageRef } from '../shared/refs/imageRef.ts';
import type { AddedImage } from './client.ts';

/** A label set from what callers have, and the thresholds beside its labels. @throws LABEL_SET_INVALID */
export function labelSetOf(labels: readonly string[] | LabelSetInput): {
  labelSet: LabelSet;
  thresholds?: Thresholds;
} {
  const input = 'labels' in labels ? labels : { labels };
  const labelSet = defineLabelSet(input);
  const thresholds = thresholdsIn(input);
  return { labelSet, ...(thresholds && { thresholds }) };
}

/** A uri as it is; bytes as the data of a URL. */
export async function dataUrlOf(image: Uint8Array | Blob | URL | string): Promise<string> {
  if (typeof image === 'string') return image;
  if (image instanceof URL) return image.href;
  const bytes = image instanceof Uint8Array ? image : new Uint8Array(await image.arrayBuffer());
  return `data:;base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}

/** Image refs from what callers add: a text is a uri, and its own id. */
export async function* refsOf(
  images: AsyncIterable<AddedImage> | Iterable<AddedImage>,
): AsyncGenerator<ImageRef> {
  for await (const image of images) yield typeof image === 'string' ? { id: image, uri: image } : image;
}
