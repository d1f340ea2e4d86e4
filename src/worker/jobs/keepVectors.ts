import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import { areInRedis, putAnswerVectors } from '../../shared/embeddings/answerVectors.ts';
import { toHalf } from '../../shared/embeddings/half.ts';
import { vectorFolderOf, type WritePlaces } from '../../shared/embeddings/vectorFolder.ts';
import { createVectorWriter, type VectorWriter } from '../../shared/embeddings/vectorWriter.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { LabelMatrices } from '../labels/labelMatrices.ts';
import type { ImageOutcome } from '../verdicts/imageOutcome.ts';

/** Runs whose file is open; of others a new file is begun when they have vectors again. */
const OPEN_FILES_MAX = 100;

type KeptRun = Pick<Run, 'run' | 'embeddings'>;

/** Keeps the vectors of classified images for runs that want it. */
export interface KeepVectors {
  /** Whether this worker may take the run: it wants no vectors kept, or they can be written here. */
  canKeep(run: KeptRun): boolean;
  /**
   * Resolves when the vectors of all that was classified are on disk, or, where the run says so, in Redis with those of its labels; at once for
   * runs that want none kept.
   */
  keep(
    run: KeptRun & Pick<Run, 'labelSet'> & { bornAs?: string | undefined },
    outcomes: readonly ImageOutcome[],
  ): Promise<void>;
  close(): Promise<void>;
}

export interface KeepVectorsOptions {
  redis: Redis;
  keys: Keys;
  labelMatrices: Pick<LabelMatrices, 'get'>;
  places: WritePlaces;
  fingerprint: string;
  dimensions: number;
}

export function createKeepVectors(options: KeepVectorsOptions): KeepVectors {
  const { redis, keys, labelMatrices, places, fingerprint, dimensions } = options;
  const writers = new LRUCache<string, VectorWriter>({
    max: OPEN_FILES_MAX,
    dispose: (writer) => void writer.close().catch(() => {}),
  });
  const folderOf = ({ run, embeddings }: KeptRun) => vectorFolderOf(run, embeddings!, places);

  function writerOf(kept: KeptRun & { bornAs?: string | undefined }): VectorWriter {
    const { run, bornAs: birth = '' } = kept;
    const name = `${run} ${birth}`;
    const known = writers.get(name);
    if (known) return known;
    const folder = folderOf(kept);
    if (folder === undefined)
      throw new ClipfleetError('INTERNAL', 'Expected a folder for vectors, got none. This is a bug.');
    const writer = createVectorWriter(folder, { v: 1, run, birth, fingerprint, dimensions });
    writers.set(name, writer);
    return writer;
  }

  async function answer(kept: KeptRun & Pick<Run, 'labelSet'>, outcomes: readonly ImageOutcome[]) {
    const images = new Map<string, Float32Array>();
    for (const outcome of outcomes)
      if (outcome.kind === 'classified') images.set(outcome.row.id, outcome.embedding);
    if (images.size === 0) return;
    const hasTexts = kept.labelSet !== noLabelSet;
    const texts = hasTexts ? (await labelMatrices.get(kept.labelSet)).matrix.data : undefined;
    await putAnswerVectors(redis, keys, kept, { images, texts });
  }

  return {
    canKeep: (kept) =>
      kept.embeddings === undefined || areInRedis(kept.embeddings) || folderOf(kept) !== undefined,
    async keep(kept, outcomes) {
      if (kept.embeddings === undefined) return;
      if (areInRedis(kept.embeddings)) return answer(kept, outcomes);
      const vectors = outcomes.flatMap((outcome) => {
        if (outcome.kind !== 'classified') return [];
        const { id, uri, generation, place } = outcome.row;
        const { buffer } = toHalf(outcome.embedding);
        return [{ id, uri, generation, place, half: new Uint8Array(buffer) }];
      });
      await writerOf(kept).keep(vectors);
    },
    async close() {
      await Promise.all([...writers.values()].map((writer) => writer.close()));
    },
  };
}
