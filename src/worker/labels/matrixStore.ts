import type { Redis } from 'ioredis';
import { z } from 'zod';
import { jsonIn } from '../../shared/jsonIn.ts';
import { isWrongType } from '../../shared/redis/wrongType.ts';
import { type LabelMatrix, sharedFloats } from './labelMatrix.ts';

/** A label matrix as the fleet shares it. */
export interface EncodedLabels {
  matrix: LabelMatrix;
  /** Places of labels of which a prompt was cut. */
  truncated: number[];
}

/** A matrix nobody asked for during a week is encoded anew when it is next needed. */
const KEPT_MS = 7 * 24 * 3_600_000;

/**
 * Bytes in one field. Redis takes 512 MB in one value at most, less than 100,000 labels of 1,536 dimensions; and while a
 * value is on its way, the lock renewals behind it on the same connection wait.
 */
const PIECE_BYTES = 16 * 1024 * 1024;

/** Far above any model's. */
const DIMENSIONS_MAX = 65_536;

const placesSchema = z.array(z.int().min(0));

/** Label matrices in Redis, each a hash: its pieces, and at last how many bytes they are together. */
export function createMatrixStore(redis: Redis, pieceBytes = PIECE_BYTES) {
  return {
    /** What somebody else wrote there counts as nothing. */
    async get(key: string, labels: number, keptMs = KEPT_MS): Promise<EncodedLabels | undefined> {
      const [bytes, text] = await redis.hmget(key, 'bytes', 'truncated').catch((error) => {
        if (isWrongType(error)) return [];
        throw error;
      });
      const truncated = placesSchema.safeParse(jsonIn(text ?? undefined));
      const floats = Number(bytes) / Float32Array.BYTES_PER_ELEMENT;
      const dimensions = floats / labels;
      const isSize = Number.isInteger(dimensions) && dimensions > 0 && dimensions <= DIMENSIONS_MAX;
      if (!truncated.success || !isSize) return undefined;
      if ((await redis.pttl(key)) < keptMs) await redis.pexpire(key, keptMs);
      const data = sharedFloats(floats);
      const whole = new Uint8Array(data.buffer);
      for (let from = 0; from < whole.length; from += pieceBytes) {
        const piece = await redis.hgetBuffer(key, `from ${from}`);
        if (piece?.length !== Math.min(pieceBytes, whole.length - from)) return undefined;
        whole.set(piece, from);
      }
      return {
        matrix: { data, labels, dimensions },
        truncated: truncated.data.filter((place) => place < labels),
      };
    },

    async put(key: string, { matrix, truncated }: EncodedLabels, keptMs = KEPT_MS): Promise<void> {
      const { buffer, byteOffset, byteLength } = matrix.data;
      const whole = Buffer.from(buffer, byteOffset, byteLength);
      // What is there was no matrix, and may be of another type.
      await redis.del(key);
      for (let from = 0; from < whole.length; from += pieceBytes) {
        await redis.hset(key, `from ${from}`, whole.subarray(from, from + pieceBytes));
        await redis.pexpire(key, keptMs);
      }
      await redis.hset(key, { bytes: whole.length, truncated: JSON.stringify(truncated) });
    },
  };
}
