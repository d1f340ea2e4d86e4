import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../shared/errors.ts';
import type { Keys } from '../shared/keys.ts';
import { type LabelSet, promptsKey, promptsOf } from '../shared/labelSet.ts';
import { readLabelSet } from '../shared/storedLabelSet.ts';
import { buildLabelMatrix, type LabelMatrix } from './labelMatrix.ts';
import type { TextEmbeddings } from './session.ts';

/** A label set ready to score against. */
export interface PreparedLabels {
  labelSet: LabelSet;
  matrix: LabelMatrix;
  /** Labels of which a prompt was cut to fit the text tower. */
  truncated: string[];
}

export interface LabelMatricesOptions {
  redis: Redis;
  keys: Keys;
  /** Of the model whose text tower `embedTexts` is. */
  fingerprint: string;
  embedTexts: (prompts: readonly string[]) => Promise<TextEmbeddings>;
}

/** Numbers of all matrices a worker keeps in memory: 512 MiB of float32, so that the largest label set fits. */
const CACHED_NUMBERS_MAX = 128 * 1024 * 1024;
/** A matrix nobody asked for during a week is encoded anew when it is next needed. */
const KEPT_SECONDS = 7 * 24 * 3_600;
/** How long another worker may be silent while it encodes before one takes over. */
const LOCK_MS = 60_000;
const POLL_MS = 100;

/**
 * Label matrices, encoded once per fleet: kept in this process, and in Redis for all workers of the model.
 *
 * The key is the prompts and the model's fingerprint, so that a changed threshold encodes nothing anew, and a changed
 * model everything.
 *
 * @throws LABEL_SET_UNKNOWN, LABEL_SET_INVALID
 */
export function createLabelMatrices({ redis, keys, fingerprint, embedTexts }: LabelMatricesOptions) {
  // Concurrent callers share one preparation; one that failed is tried again by the next.
  const prepared = new LRUCache<string, PreparedLabels>({
    maxSize: CACHED_NUMBERS_MAX,
    sizeCalculation: ({ matrix }) => matrix.data.length,
    fetchMethod: prepare,
  });

  async function prepare(labelSetId: string): Promise<PreparedLabels> {
    const labelSet = await readLabelSet(redis, keys, labelSetId);
    const { matrix, truncated } = await encodedOnce(labelSet);
    return { labelSet, matrix, truncated: truncated.map((place) => labelSet.labels[place]!.label) };
  }

  async function encodedOnce(labelSet: LabelSet): Promise<Encoded> {
    const key = createHash('sha256')
      .update(`${fingerprint} ${promptsKey(labelSet)}`)
      .digest('hex');
    return (await fromRedis(key, labelSet)) ?? encodeForFleet(key, labelSet);
  }

  async function fromRedis(key: string, labelSet: LabelSet): Promise<Encoded | undefined> {
    const [data, truncated] = await redis.hmgetBuffer(keys.matrix(key), 'data', 'truncated');
    if (!data || !truncated) return undefined;
    await redis.expire(keys.matrix(key), KEPT_SECONDS);
    // ioredis' buffers start anywhere, a Float32Array only at multiples of four: hence the copy.
    const numbers = new Float32Array(Uint8Array.from(data).buffer);
    const labels = labelSet.labels.length;
    return {
      matrix: { data: numbers, labels, dimensions: numbers.length / labels },
      truncated: JSON.parse(truncated.toString('utf8')) as number[],
    };
  }

  /** Encodes unless another worker is at it already; then waits for what that one stores. */
  async function encodeForFleet(key: string, labelSet: LabelSet): Promise<Encoded> {
    while ((await redis.set(keys.matrixLock(key), '1', 'PX', LOCK_MS, 'NX')) === null) {
      const theirs = await fromRedis(key, labelSet);
      if (theirs) return theirs;
      await delay(POLL_MS);
    }
    const renewal = setInterval(() => void redis.pexpire(keys.matrixLock(key), LOCK_MS), LOCK_MS / 3);
    try {
      const theirs = await fromRedis(key, labelSet);
      if (theirs) return theirs;
      const encoded = await encode(labelSet);
      const { data } = encoded.matrix;
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      await redis.hset(keys.matrix(key), { data: bytes, truncated: JSON.stringify(encoded.truncated) });
      await redis.expire(keys.matrix(key), KEPT_SECONDS);
      return encoded;
    } finally {
      clearInterval(renewal);
      await redis.del(keys.matrixLock(key));
    }
  }

  async function encode(labelSet: LabelSet): Promise<Encoded> {
    const prompts = promptsOf(labelSet);
    const { embeddings, truncated } = await embedTexts(prompts.flat());
    const counts = prompts.map((ofLabel) => ofLabel.length);
    const dimensions = embeddings.length / prompts.flat().length;
    return {
      matrix: buildLabelMatrix(embeddings, counts, dimensions),
      truncated: labelsAt(truncated, counts),
    };
  }

  return {
    async get(labelSetId: string): Promise<PreparedLabels> {
      const labels = await prepared.fetch(labelSetId);
      if (labels) return labels;
      throw new ClipfleetError('INTERNAL', 'Expected prepared labels, got none. This is a bug.');
    },
  };
}

export type LabelMatrices = ReturnType<typeof createLabelMatrices>;

interface Encoded {
  matrix: LabelMatrix;
  /** Places of labels of which a prompt was cut. */
  truncated: number[];
}

/** Places of prompts, laid end to end, as places of the labels they belong to. */
function labelsAt(promptPlaces: readonly number[], counts: readonly number[]): number[] {
  const wanted = new Set(promptPlaces);
  const labels: number[] = [];
  let from = 0;
  counts.forEach((count, label) => {
    for (let place = from; place < from + count; place++) {
      if (wanted.has(place) && labels.at(-1) !== label) labels.push(label);
    }
    from += count;
  });
  return labels;
}
