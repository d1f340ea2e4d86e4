import { z } from 'zod';
import { createJudge, type Decision, thresholdsWith } from '../../results/decisions/judge.ts';
import type { ExportedRun } from '../../results/rows/exportedRun.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { readLabelSet } from '../../shared/labels/storedLabelSet.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import type { GatewayOptions } from '../http/gatewayApp.ts';

/** A score in a query. */
export const scoreParam = z.coerce.number().min(-1e9).max(1e9);

/** Thresholds in a query, before those of the run. */
export const thresholdParams = z.strictObject({
  accept: scoreParam
    .optional()
    .describe('Threshold: answers are accepted from this score on. Else that of the run.'),
  review: scoreParam.optional().describe('Threshold: what is not accepted is for review from this score on.'),
  margin: z.coerce
    .number()
    .min(0)
    .max(1e9)
    .optional()
    .describe('Threshold: how far the best label must lead.'),
});

/** What is said of a run's rows, with what decides about them. @throws RUN_UNKNOWN, REQUEST_INVALID for thresholds */
export async function judgedRunOf(
  { producer, redis, prefix }: GatewayOptions,
  run: string,
  said: z.infer<typeof thresholdParams> & { decision?: Decision | undefined },
): Promise<ExportedRun> {
  const record = await producer.describe(run);
  const thresholds = thresholdsWith(record.thresholds, said);
  if (said.decision !== undefined && !thresholds)
    throw new ClipfleetError(
      'REQUEST_INVALID',
      'Expected accept for rows of a decision, the run has no thresholds.',
    );
  const judge =
    thresholds && createJudge(await readLabelSet(redis, keysUnder(prefix), record.labelSet), thresholds);
  return {
    ...record,
    labels: [],
    severalLabels: false,
    hasAllScores: false,
    ...(judge && { judge }),
    sourceColumns: [],
    roots: new Map(),
  };
}
