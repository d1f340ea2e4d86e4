import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClipfleetError } from '../../shared/errors.ts';
import type { OpenPart } from '../outputs/wholeOutput.ts';
import type { ExportedRun, ExportRow } from '../rows/exportedRun.ts';
import { createOmissions, FAILED } from '../rows/localImage.ts';
import { openNpyFile } from './npyFile.ts';
import { openParquetWith, textColumn } from './parquetFile.ts';

/** Images in a file of numbers and its file of keys, as clip-retrieval writes them. */
const PART_IMAGES = 1_000_000;

/**
 * Matrices for numpy, with Parquet files of keys that have the same number and the same order: `scores/scores_0.npy`, the score of
 * every label in the order of `labels.json`, and `metadata/metadata_0.parquet`.
 */
export const openNpy: OpenPart = async (folder, run) => {
  const omissions = createOmissions();
  for (const name of ['scores', 'metadata']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'labels.json'), `${JSON.stringify(run.labels)}\n`);
  const toScores = scoresIn(run);
  let parts = 0;
  let part = await openNumbers(folder, parts++, run);
  return {
    async write(row) {
      if (row.status === 'failed') return omissions.add(FAILED);
      if (part.images === PART_IMAGES) {
        await part.end();
        part = await openNumbers(folder, parts++, run);
      }
      await part.write(row, toScores(row));
    },
    async end() {
      await part.end();
      return omissions.sentences();
    },
    close: () => part.close(),
  };
};

async function openNumbers(folder: string, part: number, run: ExportedRun) {
  const scores = await openNpyFile(join(folder, `scores/scores_${part}.npy`), '<f4', run.labels.length);
  const path = join(folder, `metadata/metadata_${part}.parquet`);
  const keys = await openParquetWith(path, run, [textColumn('image_path', ({ uri }) => uri)]);
  return {
    get images() {
      return scores.rows;
    },
    async write(row: ExportRow, numbers: Float32Array): Promise<void> {
      await scores.write(new Uint8Array(numbers.buffer));
      await keys.write(row);
    },
    async end(): Promise<void> {
      await scores.end();
      await keys.end();
    },
    close: scores.close,
  };
}

/** Puts a row's scores into the order of the labels. @throws USAGE where one is missing */
function scoresIn({ labels }: ExportedRun): (row: ExportRow) => Float32Array {
  const places = new Map(labels.map((label, i) => [label, i]));
  return (row) => {
    const predictions = row.status === 'classified' ? row.predictions : [];
    if (predictions.length !== labels.length) {
      const message = `Expected ${labels.length} scores for ${row.id}, one for each label, got ${predictions.length}: npy is written of runs with --top-k all and without thresholds.`;
      throw new ClipfleetError('USAGE', message);
    }
    const numbers = new Float32Array(labels.length);
    for (const { label, score } of predictions) numbers[places.get(label)!] = score;
    return numbers;
  };
}
