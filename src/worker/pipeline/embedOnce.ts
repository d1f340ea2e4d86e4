import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';

/** The embedding of an image file's bytes, made by `embed` unless equal bytes have theirs. */
export type EmbedOnce = (bytes: Uint8Array, embed: () => Promise<Float32Array>) => Promise<Float32Array>;

/**
 * Remembers embeddings by the SHA-256 of the bytes they are of, for one model and one way of decoding: equal files are
 * decoded and embedded once, also when they come at the same time.
 *
 * @param max embeddings remembered; those used last stay
 */
export function createEmbedOnce(max: number): EmbedOnce {
  const known = new LRUCache<string, Promise<Float32Array>>({ max });
  const remember = (key: string, own: Promise<Float32Array>) => {
    known.set(key, own);
    own.catch(() => {
      if (known.peek(key) === own) known.delete(key);
    });
    return own;
  };
  return (bytes, embed) => {
    const key = createHash('sha256').update(bytes).digest('base64');
    const earlier = known.get(key);
    if (!earlier) return remember(key, embed());
    // What the earlier one failed with may be its own: it was called back, or its batch broke.
    return earlier.catch(() => remember(key, embed()));
  };
}
