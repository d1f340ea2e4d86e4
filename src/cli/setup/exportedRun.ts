import { givesSeveral } from '../../results/decisions/judge.ts';
import type { ExportedRun } from '../../results/rows/exportedRun.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import { unknownRun } from '../../shared/runs/runErrors.ts';
import type { Context } from './context.ts';
import { type DecisionConfig, judgeOf, thresholdsOf } from './decisions.ts';

/** What an export says of a run. @throws RUN_UNKNOWN, USAGE for thresholds */
export async function exportedRunOf(
  { producer }: Context,
  run: string,
  options: Partial<Pick<ExportedRun, 'roots' | 'sourceColumns' | 'wide' | 'bom' | 'compact' | 'vectors'>> & {
    topK?: number | 'all' | undefined;
    /** What thresholds flags say; those of the run decide where they say none. */
    decide?: DecisionConfig | undefined;
  } = {},
): Promise<ExportedRun> {
  const record = await producer.runs.get(run);
  if (!record) throw unknownRun(run);
  const { model, labelSet, createdAt } = record;
  const { topK, decide = {}, ...given } = options;
  // A run whose label set is gone has failed rows only, which name no label.
  const set = await producer.labelSetOf(run).catch(() => undefined);
  const judge = await judgeOf(decide, record.thresholds, set);
  return {
    run,
    model,
    labelSet,
    createdAt,
    labels: set?.labels.filter(({ negative }) => !negative).map(({ label }) => label) ?? [],
    severalLabels: set !== undefined && givesSeveral(set, await thresholdsOf(decide, record.thresholds)),
    hasAllScores: set !== undefined && scoresAll(set) && (topK === undefined || topK === 'all'),
    ...(judge && { judge }),
    sourceColumns: [],
    roots: new Map(),
    ...given,
  };
}

function scoresAll({ topK, threshold, labels }: LabelSet): boolean {
  const hasThreshold = threshold !== undefined || labels.some((label) => label.threshold !== undefined);
  return topK === undefined && !hasThreshold;
}
