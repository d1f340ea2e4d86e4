import { LRUCache } from 'lru-cache';
import { toHalf } from '../../shared/embeddings/half.ts';
import { vectorFolderOf, type WritePlaces } from '../../shared/embeddings/vectorFolder.ts';
import { createVectorWriter, type VectorWriter } from '../../shared/embeddings/vectorWriter.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { ImageOutcome } from './imageOutcome.ts';

/** Runs whose file is open; of others a new file is begun when they have vectors again. */
const OPEN_FILES_MAX = 100;

type KeptRun = Pick<Run, 'run' | 'embeddings'>;

/** Keeps the vectors of classified images for runs that want it. */
export interface KeepVectors {
  /** Whether this worker may take the run: it wants no vectors kept, or they can be written here. */
  canKeep(run: KeptRun): boolean;
  /** Resolves when the vectors of all that was classified are on disk; at once for runs that want none kept. */
  keep(run: KeptRun & { bornAs?: string | undefined }, outcomes: readonly ImageOutcome[]): Promise<void>;
  close(): Promise<void>;
}

export interface KeepVectorsOptions {
  places: WritePlaces;
  fingerprint: string;
  dimensions: number;
}

export function createKeepVectors({ places, fingerprint, dimensions }: KeepVectorsOptions): KeepVectors {
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

  return {
    canKeep: (kept) => kept.embeddings === undefined || folderOf(kept) !== undefined,
    async keep(kept, outcomes) {
      if (kept.embeddings === undefined) return;
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
