import { crc32 } from 'node:zlib';
import type { Prediction } from '../../shared/rows/prediction.ts';
import type { PublicRow } from '../../shared/rows/row.ts';
import { bestOf } from '../rows/exportedRun.ts';

/** An image that the report shows. */
export interface Sample {
  id: string;
  uri: string;
  /** The best three. */
  predictions: readonly Prediction[];
}

export interface Failures {
  count: number;
  examples: { id: string; message: string }[];
}

/** What a first pass over the rows counts. */
export interface RowTotals {
  rows: number;
  /** Images for each best label. */
  labels: Map<string, number>;
  /** Classified images of which every label is below its threshold. */
  unlabeled: number;
  failures: Map<string, Failures>;
  /** Rows for each fingerprint of a model. */
  fingerprints: Map<string, number>;
  /** Best scores: the lowest and the highest; both 0 where there is none. */
  scores: { min: number; max: number };
  /** Those of the lowest best score first; first of all those without a label. */
  unsure: Sample[];
}

/** What a second pass gathers of the labels that are shown. */
export interface LabelSamples {
  /** Best scores in bins of equal width between the lowest and the highest of all. */
  bins: number[];
  samples: Sample[];
}

const UNSURE_MAX = 24;
const EXAMPLES_MAX = 5;
const BINS = 20;

export async function countRows(rows: AsyncIterable<PublicRow>): Promise<RowTotals> {
  const totals: RowTotals = {
    rows: 0,
    labels: new Map(),
    unlabeled: 0,
    failures: new Map(),
    fingerprints: new Map(),
    scores: { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY },
    unsure: [],
  };
  const unsure = createLowest(UNSURE_MAX, scoreOf);
  for await (const row of rows) {
    totals.rows++;
    if (row.status === 'failed') addFailure(totals.failures, row);
    if (row.status !== 'classified') continue;
    increment(totals.fingerprints, row.fingerprint);
    unsure.add(sampleOf(row));
    const best = bestOf(row);
    if (best === undefined) {
      totals.unlabeled++;
      continue;
    }
    increment(totals.labels, best.label);
    totals.scores.min = Math.min(totals.scores.min, best.score);
    totals.scores.max = Math.max(totals.scores.max, best.score);
  }
  if (totals.labels.size === 0) totals.scores = { min: 0, max: 0 };
  totals.unsure = unsure.items();
  return totals;
}

/**
 * Score distributions of all images and of some labels, and of each of these the images of the lowest scores with others by chance: which,
 * their ids decide, so that the same run gives the same report.
 */
export async function sampleRows(
  rows: AsyncIterable<PublicRow>,
  { scores, labels }: { scores: RowTotals['scores']; labels: readonly string[] },
  perLabel: { lowest: number; byChance: number },
): Promise<{ bins: number[]; byLabel: Map<string, LabelSamples> }> {
  const all = emptyBins();
  const gathered = new Map(
    labels.map((label) => {
      const lowest = createLowest(perLabel.lowest, scoreOf);
      const byChance = createLowest(perLabel.lowest + perLabel.byChance, ({ id }) => crc32(id));
      return [label, { bins: emptyBins(), lowest, byChance }];
    }),
  );
  for await (const row of rows) {
    const best = bestOf(row);
    if (best === undefined || row.status !== 'classified') continue;
    const bin = binOf(best.score, scores);
    all[bin]!++;
    const of = gathered.get(best.label);
    if (!of) continue;
    of.bins[bin]!++;
    of.lowest.add(sampleOf(row));
    of.byChance.add(sampleOf(row));
  }
  const byLabel = new Map<string, LabelSamples>();
  for (const [label, { bins, lowest, byChance }] of gathered) {
    const first = lowest.items();
    const isNew = ({ id }: Sample) => !first.some((sample) => sample.id === id);
    const others = byChance.items().filter(isNew).slice(0, perLabel.byChance);
    byLabel.set(label, { bins, samples: [...first, ...others].sort((a, b) => scoreOf(a) - scoreOf(b)) });
  }
  return { bins: all, byLabel };
}

/** The bin of a score; the highest score is in the last one. */
function binOf(score: number, { min, max }: RowTotals['scores']): number {
  return max === min ? 0 : Math.min(BINS - 1, Math.max(0, Math.floor(((score - min) / (max - min)) * BINS)));
}

function emptyBins(): number[] {
  return Array<number>(BINS).fill(0);
}

function sampleOf(row: Extract<PublicRow, { status: 'classified' }>): Sample {
  return { id: row.id, uri: row.uri, predictions: row.predictions.slice(0, 3) };
}

function scoreOf({ predictions }: Sample): number {
  return predictions[0]?.score ?? Number.NEGATIVE_INFINITY;
}

/** Keeps those of the lowest rank, the lowest first. */
function createLowest(most: number, rankOf: (sample: Sample) => number) {
  const kept: { sample: Sample; rank: number }[] = [];
  return {
    add(sample: Sample): void {
      const rank = rankOf(sample);
      if (kept.length === most && rank >= (kept.at(-1)?.rank ?? Number.NEGATIVE_INFINITY)) return;
      const place = kept.findLastIndex((other) => other.rank <= rank) + 1;
      kept.splice(place, 0, { sample, rank });
      if (kept.length > most) kept.pop();
    },
    items: () => kept.map(({ sample }) => sample),
  };
}

function addFailure(
  failures: RowTotals['failures'],
  { id, error }: Extract<PublicRow, { status: 'failed' }>,
): void {
  const of = failures.get(error.code) ?? { count: 0, examples: [] };
  failures.set(error.code, of);
  of.count++;
  if (of.examples.length < EXAMPLES_MAX) of.examples.push({ id, message: error.message });
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
