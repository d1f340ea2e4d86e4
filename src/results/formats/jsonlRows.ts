import type { Prediction } from '../../shared/rows/prediction.ts';
import type { LineFormat } from '../outputs/lineFormat.ts';
import type { ExportedRun, ExportRow } from '../rows/exportedRun.ts';
import { shortFloat32 } from '../rows/shortestFloat32.ts';

/** What every file of JSON lines begins with. */
export const jsonlBeginning = '{"run":"';

/**
 * Rows as JSON lines, each a whole row; or, `compact`, the run, its model and its label set in the first line, and rows without
 * them, which are half as long.
 */
export function jsonlFormat({ compact, run, model, labelSet, labels, createdAt }: ExportedRun): LineFormat {
  if (!compact) return { header: undefined, line: (row) => JSON.stringify(withShortScores(row)) };
  return {
    header: JSON.stringify({ run, model, labelSet, createdAt, labels }),
    line(row) {
      const { run: _run, model: _model, labelSet: _labelSet, ...own } = withShortScores(row);
      return JSON.stringify(own);
    },
  };
}

/** Scores as the shortest decimals that read back as the same float32. */
function withShortScores(row: ExportRow): ExportRow {
  if (row.status !== 'classified') return row;
  const answers = row.answers?.map((answer) => ({ ...answer, score: shortFloat32(answer.score) }));
  return { ...row, predictions: row.predictions.map(shortPrediction), ...(answers && { answers }) };
}

/** A prediction whose numbers have as few digits as they can. */
export function shortPrediction({ label, score, logit, cosine }: Prediction): Prediction {
  return {
    label,
    score: shortFloat32(score),
    ...(logit !== undefined && { logit: shortFloat32(logit) }),
    ...(cosine !== undefined && { cosine: shortFloat32(cosine) }),
  };
}
