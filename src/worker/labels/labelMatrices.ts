import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import { type LabelSet, labelSetId, promptsKey } from '../../shared/labels/labelSet.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { type CountEvent, countNothing } from '../../shared/telemetry/countedEvents.ts';
import { type EmbedTexts, encodeLabels } from './encodeLabels.ts';
import type { LabelMatrix } from './labelMatrix.ts';
import { takeLease } from './lease.ts';
import { createMatrixStore, type EncodedLabels } from './matrixStore.ts';

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
  embedTexts: EmbedTexts;
  /** How long a worker that is gone keeps the others from encoding what it was at. */
  leaseMs: number;
  /** Told of a key under which somebody else put something of another type. */
  onForeign?: (key: string) => void;
  countEvent?: CountEvent | undefined;
}

/** Numbers of all matrices a worker keeps in memory: 512 MiB of float32, so that the largest label set fits. */
const CACHED_NUMBERS_MAX = 128 * 1024 * 1024;
const POLL_MS = 100;

/**
 * Label matrices, encoded once per fleet: kept in this process, and in Redis for all workers of the model.
 *
 * The key is the prompts and the model's fingerprint, so that a changed threshold encodes nothing anew, and a changed
 * model everything.
 *
 * @throws LABEL_SET_UNKNOWN, LABEL_SET_INVALID
 */
export function createLabelMatrices(options: LabelMatricesOptions) {
  const { redis, keys, fingerprint, embedTexts, leaseMs, countEvent = countNothing } = options;
  const store = createMatrixStore(redis);
  // Concurrent callers share one preparation; one that failed is tried again by the next.
  const prepared = new LRUCache<string, PreparedLabels>({
    maxSize: CACHED_NUMBERS_MAX,
    sizeCalculation: ({ matrix }) => matrix.data.length,
    fetchMethod: prepare,
  });

  async function prepare(id: string): Promise<PreparedLabels> {
    const labelSet = await readLabelSet(redis, keys, id);
    // The matrix of one that expires is not needed for longer.
    const leftMs = await redis.pttl(keys.labelSet(id));
    return prepareSet(labelSet, leftMs > 0 ? leftMs : undefined);
  }

  async function prepareSet(labelSet: LabelSet, keptMs?: number): Promise<PreparedLabels> {
    const { matrix, truncated } = await encodedOnce(labelSet, keptMs);
    return { labelSet, matrix, truncated: truncated.map((place) => labelSet.labels[place]!.label) };
  }

  /** Encodes unless another worker has, or is at it: then waits for what that one stores. */
  async function encodedOnce(labelSet: LabelSet, keptMs?: number): Promise<EncodedLabels> {
    const key = createHash('sha256')
      .update(`${fingerprint} ${promptsKey(labelSet)}`)
      .digest('hex');
    const stored = async () => {
      const matrix = await store.get(keys.matrix(key), labelSet.labels.length, keptMs);
      if (matrix) countEvent('label_matrices', 'fleet');
      return matrix;
    };
    for (;;) {
      const theirs = await stored();
      if (theirs) return theirs;
      const lease = await takeLease(redis, keys.matrixLease(key), leaseMs, options.onForeign);
      if (!lease) {
        await delay(POLL_MS);
        continue;
      }
      try {
        // Another may have stored it and released the lease in between.
        const meanwhile = await stored();
        if (meanwhile) return meanwhile;
        const encoded = await encodeLabels(embedTexts, labelSet);
        countEvent('label_matrices', 'encoded');
        await store.put(keys.matrix(key), encoded, keptMs);
        return encoded;
      } finally {
        await lease.release();
      }
    }
  }

  return {
    async get(id: string): Promise<PreparedLabels> {
      const labels = await prepared.fetch(id);
      if (labels) return labels;
      throw new ClipfleetError('INTERNAL', 'Expected prepared labels, got none. This is a bug.');
    },
    /** The same for a label set that need not be stored yet. */
    async encode(labelSet: LabelSet): Promise<void> {
      prepared.set(labelSetId(labelSet), await prepareSet(labelSet));
    },
  };
}

export type LabelMatrices = ReturnType<typeof createLabelMatrices>;
