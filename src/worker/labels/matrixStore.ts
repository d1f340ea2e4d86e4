import type { Redis } from 'ioredis';
import { type LabelMatrix, sharedFloats } from './labelMatrix.ts';

/** A label matrix as the fleet shares it. */
export interface EncodedLabels {
  matrix: LabelMatrix;
  /** Places of labels of which a prompt was cut. */
  truncated: number[];
}

/** A matrix nobody asked for during a week is encoded anew when it is next needed. */
const KEPT_SECONDS = 7 * 24 * 3_600;

/**
 * Bytes in one field. Redis takes 512 MB in one value at most, less than 100,000 labels of 1,536 dimensions; and while a
 * value is on its way, the lock renewals behind it on the same connection wait.
 */
const PIECE_BYTES = 16 * 1024 * 1024;

/** Label matrices in Redis, each a hash: its pieces, and at last how many bytes they are together. */
export function createMatrixStore(redis: Redis, pieceBytes = PIECE_BYTES) {
  return {
    async get(key: string, labels: number): Promise<EncodedLabels | undefined> {
      const [bytes, truncated] = await redis.hmget(key, 'bytes', 'truncated');
      if (!bytes || !truncated) return undefined;
      await redis.expire(key, KEPT_SECONDS);
      const data = sharedFloats(Number(bytes) / Float32Array.BYTES_PER_ELEMENT);
      const whole = new Uint8Array(data.buffer);
      for (let from = 0; from < whole.length; from += pieceBytes) {
        const piece = await redis.hgetBuffer(key, `from ${from}`);
        if (piece?.length !== Math.min(pieceBytes, whole.length - from)) return undefined;
        whole.set(piece, from);
      }
      return {
        matrix: { data, labels, dimensions: data.length / labels },
        truncated: JSON.parse(truncated) as number[],
      };
    },

    async put(key: string, { matrix, truncated }: EncodedLabels): Promise<void> {
      const { buffer, byteOffset, byteLength } = matrix.data;
      const whole = Buffer.from(buffer, byteOffset, byteLength);
      for (let from = 0; from < whole.length; from += pieceBytes) {
        await redis.hset(key, `from ${from}`, whole.subarray(from, from + pieceBytes));
        await redis.expire(key, KEPT_SECONDS);
      }
      await redis.hset(key, { bytes: whole.length, truncated: JSON.stringify(truncated) });
    },
  };
}
