import { join } from 'node:path';
import { openLineFile } from '../outputs/lineFile.ts';
import type { OpenPart } from '../outputs/wholeOutput.ts';
import { answersOf, type ExportedRun, type ExportRow } from '../rows/exportedRun.ts';
import { createOmissions, FAILED, localImage, NOT_LOCAL } from '../rows/localImage.ts';
import { shortFloat32 } from '../rows/shortestFloat32.ts';

/**
 * A FiftyOneImageClassificationDataset: `labels.json` alone, which names the images by their absolute paths, so that nothing is
 * copied. An image whose labels are all below their thresholds is a sample without a label.
 */
export const openFiftyone: OpenPart = async (folder, run) => {
  const omissions = createOmissions();
  const file = await openLineFile(join(folder, 'labels.json'));
  await file.write(`{"classes": ${JSON.stringify(run.labels)}, "labels": {`);
  let separator = '';
  return {
    async write(row) {
      const path = localImage(row.uri, run);
      if (row.status === 'failed') return omissions.add(FAILED);
      if (path === undefined) return omissions.add(NOT_LOCAL);
      await file.write(`${separator}${JSON.stringify(path)}: ${JSON.stringify(targetOf(row, run))}`);
      separator = ',';
    },
    async end() {
      await file.write('}}');
      await file.end();
      return omissions.sentences();
    },
    close: file.end,
  };
};

/** One classification, a list of them where an image may have several labels, or null. */
function targetOf(row: ExportRow, run: ExportedRun) {
  const decision = row.decision && { decision: row.decision };
  const attributes = { id: row.id, ...decision, ...row.source };
  const targets = answersOf(row, run).map(({ label, score }) => ({
    label,
    confidence: shortFloat32(score),
    attributes,
  }));
  return run.severalLabels ? targets : (targets[0] ?? null);
}
