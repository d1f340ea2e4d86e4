import { LRUCache } from 'lru-cache';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { LabelMatrices, PreparedLabels } from '../labels/labelMatrices.ts';
import type { Delivery } from './delivery.ts';
import { postponedIfNewer, type TakenChunk } from './intake.ts';
import type { Postponed } from './jobVerdict.ts';

export interface PrepareLabelsOptions {
  labelMatrices: LabelMatrices;
  runs: Pick<Runs, 'warn'>;
  newerGraceMs: number;
}

/** The labels of a chunk, the error that all its images fail with, or what becomes of its job. */
export type LabelsOfChunk =
  | { kind: 'ready'; labels: PreparedLabels }
  | { kind: 'unusable'; error: ClipfleetError }
  | Postponed;

export type PrepareLabels = (delivery: Delivery, chunk: TakenChunk) => Promise<LabelsOfChunk>;

/** Labels named in one warning of those that were cut. */
const NAMED_MAX = 10;

export function createPrepareLabels({
  labelMatrices,
  runs,
  newerGraceMs,
}: PrepareLabelsOptions): PrepareLabels {
  const warnedRuns = new LRUCache<string, true>({ max: 10_000 });

  async function warnOfTruncation(run: string, { truncated }: PreparedLabels): Promise<void> {
    if (truncated.length === 0 || warnedRuns.has(run)) return;
    warnedRuns.set(run, true);
    const named = truncated.slice(0, NAMED_MAX).map((label) => `'${label.slice(0, 80)}'`);
    const more = truncated.length > named.length ? ` and ${truncated.length - named.length} more` : '';
    await runs.warn(run, `LABEL_TRUNCATED: too long for the text tower, and cut: ${named.join(', ')}${more}`);
  }

  return async (delivery, { run, labelSet }) => {
    try {
      const labels = await labelMatrices.get(labelSet);
      await warnOfTruncation(run, labels);
      return { kind: 'ready', labels };
    } catch (error) {
      if (!(error instanceof ClipfleetError) || error.code === 'SESSION_LOST') throw error;
      return postponedIfNewer(error, delivery, newerGraceMs) ?? { kind: 'unusable', error };
    }
  };
}
