import { fromHalf } from '../../shared/embeddings/half.ts';
import { readVectors } from '../../shared/embeddings/readVectors.ts';
import type { KeptVector } from '../../shared/embeddings/vectorRecord.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { ClassifiedRow } from '../../shared/rows/row.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { ScoredLabels, Scorer } from '../score/scorer.ts';
import type { KeptRun, Places } from './keptVectors.ts';

/** Images that are ranked, stored and accounted for together. */
const CHUNK_IMAGES = 1_000;

export interface RelabelOptions {
  /** The run that was labeled, and where its vectors are. */
  from: KeptRun;
  /** The places of its images that are to be labeled; emptied. */
  places: Places;
  /** The new run, open. */
  run: string;
  labels: ScoredLabels;
  scorer: Pick<Scorer, 'rankImage'>;
  store: Pick<ResultsStore, 'putRows'>;
  runs: Pick<Runs, 'reserveChunks' | 'announce' | 'finish' | 'seal'>;
  /** Told of the images of each chunk once they have their rows. */
  onLabeled?: (images: number) => void;
  signal: AbortSignal;
}

/**
 * Labels the images of a run anew from their vectors alone, as a run of its own with its own account: each chunk is announced before
 * its rows are stored and finished after, as a fleet's are. An image whose vector was kept twice is labeled once. Seals the run.
 *
 * @throws the signal's reason between two chunks
 */
export async function relabelRun(options: RelabelOptions): Promise<void> {
  const { from, places, run, runs, signal } = options;
  let gathered: KeptVector[] = [];
  for await (const { vectors } of readVectors(from)) {
    for (const vector of vectors) {
      if (!places.take(vector.place, vector.generation)) continue;
      gathered.push(vector);
      if (gathered.length < CHUNK_IMAGES) continue;
      await labelChunk(gathered, options);
      gathered = [];
      signal.throwIfAborted();
    }
  }
  if (gathered.length > 0) await labelChunk(gathered, options);
  await runs.seal(run);
}

async function labelChunk(
  vectors: readonly KeptVector[],
  { from, run, labels, scorer, store, runs, onLabeled }: RelabelOptions,
): Promise<void> {
  const chunk = await runs.reserveChunks(run, 1);
  await runs.announce(run, chunk, vectors.length);
  const at = Math.floor(Date.now() / 1_000);
  const rows = await Promise.all(
    vectors.map(async ({ id, uri, half }, index): Promise<ClassifiedRow> => {
      const predictions = await scorer.rankImage(embeddingOf(half), labels);
      const place = { chunk, index };
      const { fingerprint } = from;
      return { id, uri, generation: 0, place, at, status: 'classified', predictions, fingerprint };
    }),
  );
  await store.putRows(run, rows);
  await runs.finish(run, String(chunk));
  onLabeled?.(vectors.length);
}

/** Copied, because halves begin at any byte of a file. */
function embeddingOf(half: Uint8Array): Float32Array {
  return fromHalf(new Uint16Array(Uint8Array.from(half).buffer));
}
