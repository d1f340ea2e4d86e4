import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import type { Keys } from '../redis/keys.ts';

/** Where a run keeps its vectors that is one answer: beside it in Redis, for a minute. */
export const inRedis = 'redis:';

/** The same for a run whose vectors are wanted when it has ended: they stay as long as it does. It must expire. */
export const inRedisWithRun = 'redis:run';

/** Whoever asked for one answer reads it at once. */
const KEPT_MS = 60_000;

/** Whether a run's vectors pass through Redis. */
export function areInRedis(embeddings: string | undefined): boolean {
  return embeddings === inRedis || embeddings === inRedisWithRun;
}

/** Unit vectors as float32, laid end to end: of images by their ids, and of the labels in their order. */
export interface AnswerVectors {
  images: ReadonlyMap<string, Float32Array>;
  texts?: Float32Array | undefined;
}

const fieldOf = (id: string) => `image:${id}`;

/** Says vectors of a run. They expire after a minute, or, where its record says `redis:run`, with it. */
export async function putAnswerVectors(
  redis: Redis,
  keys: Keys,
  { run, embeddings }: { run: string; embeddings?: string | undefined },
  { images, texts }: AnswerVectors,
): Promise<void> {
  const key = keys.vectors(run);
  const fields = [...images].map(([id, vector]) => [fieldOf(id), bytesOf(vector)] as const);
  if (fields.length === 0) return;
  const all = Object.fromEntries([...fields, ...(texts ? [['texts', bytesOf(texts)] as const] : [])]);
  const expiresAt = embeddings === inRedisWithRun ? await redis.hget(keys.run(run), 'expiresAt') : null;
  const writing = redis.multi().hset(key, all);
  const said = await (expiresAt === null
    ? writing.pexpire(key, KEPT_MS)
    : writing.pexpireat(key, expiresAt)
  ).exec();
  for (const [error] of said ?? []) if (error) throw error;
}

/** The vector of an image of a run. @throws ANSWER_TIMEOUT where it has expired */
export async function readImageVector(
  redis: Redis,
  keys: Keys,
  run: string,
  id: string,
): Promise<Float32Array> {
  return vectorIn(run, await redis.hgetBuffer(keys.vectors(run), fieldOf(id)));
}

/** The vectors of the labels of a run, laid end to end. @throws ANSWER_TIMEOUT where they have expired */
export async function readTextVectors(redis: Redis, keys: Keys, run: string): Promise<Float32Array> {
  return vectorIn(run, await redis.hgetBuffer(keys.vectors(run), 'texts'));
}

function vectorIn(run: string, bytes: Buffer | null): Float32Array {
  if (bytes) return new Float32Array(new Uint8Array(bytes).buffer);
  const message = `Expected the vectors of run '${run}' within ${KEPT_MS} ms of its answer, found none.`;
  throw new ClipfleetError('ANSWER_TIMEOUT', message);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
