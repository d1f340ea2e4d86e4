import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';

/** Where a run keeps its vectors that is one answer: beside it in Redis, for whoever waits. */
export const inRedis = 'redis:';

/** Whoever asked reads them at once. */
const KEPT_MS = 60_000;

/** Unit vectors as float32, laid end to end: of the image, and of the labels in their order. */
export interface AnswerVectors {
  image?: Float32Array;
  texts?: Float32Array;
}

/** Says the vectors of a run of one image; they expire after a minute. */
export async function putAnswerVectors(
  redis: Redis,
  keys: Keys,
  run: string,
  vectors: AnswerVectors,
): Promise<void> {
  const key = keys.vectors(run);
  const fields = Object.entries(vectors).map(([name, { buffer, byteOffset, byteLength }]) => [
    name,
    Buffer.from(buffer, byteOffset, byteLength),
  ]);
  if (fields.length === 0) return;
  const said = await redis.multi().hset(key, Object.fromEntries(fields)).pexpire(key, KEPT_MS).exec();
  for (const [error] of said ?? []) if (error) throw error;
}

/** The vectors that were asked for. @throws ANSWER_TIMEOUT where they have expired */
export async function readAnswerVectors(
  redis: Redis,
  keys: Keys,
  run: string,
  name: keyof AnswerVectors,
): Promise<Float32Array> {
  const bytes = await redis.hgetBuffer(keys.vectors(run), name);
  if (bytes) return new Float32Array(new Uint8Array(bytes).buffer);
  const message = `Expected the vectors of run '${run}' within ${KEPT_MS} ms of its answer, found none.`;
  throw new ClipfleetError('ANSWER_TIMEOUT', message);
}
