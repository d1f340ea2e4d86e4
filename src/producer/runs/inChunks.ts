import { ClipfleetError } from '../../shared/errors.ts';
import { type ImageRef, imageRefSchema } from '../../shared/refs/imageRef.ts';

export type Images = AsyncIterable<ImageRef> | Iterable<ImageRef>;

/** The images in groups of `size`, checked; the last group as it comes out. Where the source fails, what it gave before comes first. @throws USAGE for a ref that is none */
export async function* inChunks(images: Images, size: number) {
  let chunk: ImageRef[] = [];
  let failure: { error: unknown } | undefined;
  try {
    for await (const image of images) {
      chunk.push(checked(image));
      if (chunk.length < size) continue;
      yield chunk;
      chunk = [];
    }
  } catch (error) {
    failure = { error };
  }
  if (chunk.length > 0) yield chunk;
  if (failure) throw failure.error;
}

/** A worker could make no row for a ref without an id: it is refused here, where somebody can correct it. */
function checked(image: ImageRef): ImageRef {
  const parsed = imageRefSchema.safeParse(image);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const got = JSON.stringify(image)?.slice(0, 200);
  throw new ClipfleetError(
    'USAGE',
    `Expected an image ref { id, uri }: ${path.join('.')}: ${message}; got ${got}.`,
  );
}
