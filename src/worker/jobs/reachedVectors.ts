import type { WritePlaces } from '../../shared/embeddings/vectorFolder.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import type { Run } from '../../shared/runs/run.ts';
import type { PreparedLabels } from '../labels/labelMatrices.ts';
import { createKeepVectors, type KeepVectors, type KeepVectorsOptions } from './keepVectors.ts';
import type { LabelImagesOptions } from './labelImages.ts';
import { createReadKept } from './readKept.ts';

/** What images that are read themselves go through, and its last step. */
interface Pipeline {
  classify: LabelImagesOptions['classify'];
  rank: (embedding: Float32Array, labels: PreparedLabels | undefined) => Promise<RankedLabel[]>;
}

/** The vectors that a worker keeps for runs, and those of earlier runs that it labels images from. */
export interface ReachedVectors {
  keepVectors: KeepVectors;
  /** Whether all vectors that a run has to do with are within reach. */
  reachesVectors(run: Pick<Run, 'run' | 'embeddings' | 'relabels'>): boolean;
  /** An image of a run that is labeled from vectors, by its vector; others as they are. @throws VECTOR_UNREADABLE */
  classify: LabelImagesOptions['classify'];
  close(): Promise<void>;
}

export function createReachedVectors(
  { writeRoots = new Map(), roots, trustPaths }: WritePlaces & { roots: ReadonlyMap<string, string> },
  keeping: Omit<KeepVectorsOptions, 'places'>,
  { classify, rank }: Pipeline,
): ReachedVectors {
  const keepVectors = createKeepVectors({ ...keeping, places: { writeRoots, trustPaths } });
  // What may be written may be read.
  const readable = { writeRoots: new Map([...roots, ...writeRoots]), trustPaths };
  const kept = createReadKept(readable, keeping.fingerprint);
  return {
    keepVectors,
    reachesVectors: (run) =>
      keepVectors.canKeep(run) && (run.relabels === undefined || kept.canRead(run.relabels)),
    classify: async (ref, labels, { relabels, ...how }) => {
      if (relabels === undefined) return classify(ref, labels, how);
      const { uri, embedding } = await kept.read(relabels, ref.uri);
      return { uri, embedding, predictions: await rank(embedding, labels) };
    },
    async close() {
      await Promise.all([keepVectors.close(), kept.close()]);
    },
  };
}
