import { LRUCache } from 'lru-cache';
import { type CountEvent, countNothing } from '../../shared/telemetry/countedEvents.ts';

/** The embedding of an image file, known by the SHA-256 of its bytes, made by `embed` unless equal bytes have theirs. */
export type EmbedOnce = (digest: string, embed: () => Promise<Float32Array>) => Promise<Float32Array>;

/**
 * Remembers embeddings by the SHA-256 of the files they are of, for one model and one way of decoding: equal files are
 * embedded once, also when they come at the same time. Each is decoded, because whoever reads a file decodes it too.
 *
 * @param max embeddings remembered; those used last stay
 */
export function createEmbedOnce(max: number, countEvent: CountEvent = countNothing): EmbedOnce {
  const known = new LRUCache<string, Promise<Float32Array>>({ max });
  const remember = (key: string, own: Promise<Float32Array>) => {
    known.set(key, own);
    own.catch(() => {
      if (known.peek(key) === own) known.delete(key);
    });
    return own;
  };
  return (digest, embed) => {
    const earlier = known.get(digest);
    countEvent('embedding_cache_requests', earlier ? 'hit' : 'miss');
    if (!earlier) return remember(digest, embed());
    // What the earlier one failed with may be its own: its batch broke.
    return earlier.catch(() => remember(digest, embed()));
  };
}
