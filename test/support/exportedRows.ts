import type { ExportedRun, ExportRow } from '../../src/results/rows/exportedRun.ts';

const common = {
  run: 'r',
  generation: 0,
  model: 'm@1:fp32',
  labelSet: 's',
  at: '2026-11-27T00:00:00.000Z',
};

/** A run of three labels, as exports get it. */
export const exportedRun: ExportedRun = {
  run: 'r',
  model: 'm@1:fp32',
  labelSet: 's',
  createdAt: '2026-11-27T00:00:00.000Z',
  labels: ['=HYPERLINK("x")', 'owl, "grey" & <old>', 'fox'],
  severalLabels: false,
  hasAllScores: true,
  sourceColumns: [],
  roots: new Map(),
};

/** A classified row of `file:///ID`, its scores float32 as a store gives them. */
export function classifiedRow(id: string, predictions: [string, number][]): ExportRow {
  const scored = predictions.map(([label, score]) => ({ label, score: Math.fround(score) }));
  const uri = `file:///${encodeURIComponent(id)}`;
  return { ...common, id, uri, status: 'classified', predictions: scored, fingerprint: 'f' };
}

export function failedRow(id: string, message: string): ExportRow {
  return { ...common, id, uri: '+x', status: 'failed', error: { code: 'IMAGE_EMPTY', message } };
}

/** Rows with what formats trip over: formulas, quotes, line breaks, other scripts, no label above its threshold. */
export const awkwardRows: readonly ExportRow[] = [
  classifiedRow('1234567890123456781', [
    ['=HYPERLINK("x")', 0.9123],
    ['owl, "grey" & <old>', 1e-7],
    ['fox', 0],
  ]),
  classifiedRow('日本 🦊.jpg', [
    ['fox', 0.5],
    ['owl, "grey" & <old>', 0.25],
    ['=HYPERLINK("x")', 0.125],
  ]),
  classifiedRow('none.jpg', []),
  failedRow('-7', 'line\n"two"'),
];
