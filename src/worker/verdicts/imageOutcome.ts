import type { ClassifiedRow, FailedRow, Row } from '../../shared/rows/row.ts';

/** What became of an image in one delivery of its job. */
export type ImageOutcome =
  | { kind: 'classified'; row: ClassifiedRow; embedding: Float32Array }
  | { kind: 'failed'; row: FailedRow }
  /** Another attempt may give a better row; this one is stored only if there is none. */
  | { kind: 'again'; row: FailedRow }
  /** Its host makes it wait, which is no attempt. `refused`: the host refused this very image, and not others before it. */
  | { kind: 'wait'; waitMs: number; refused: boolean }
  /** It was called back before it began. */
  | { kind: 'calledBack' };

/** The rows to store: an image that may be tried again gets its row when no attempt is left. */
export function rowsOf(outcomes: readonly ImageOutcome[], isLastAttempt: boolean): Row[] {
  return outcomes.flatMap((outcome) => {
    if (outcome.kind === 'wait' || outcome.kind === 'calledBack') return [];
    return outcome.kind === 'again' && !isLastAttempt ? [] : [outcome.row];
  });
}
