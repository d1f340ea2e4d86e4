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

/** A matrix with a row for each image. */
interface Matrix {
  folder: string;
  type: '<f2' | '<f4';
  columns: number;
  /** The bytes of its numbers, little-endian. */
  numbersOf(row: ExportRow): Uint8Array;
}

/**
 * Matrices for numpy, with Parquet files of keys that have the same number and the same order, in clip-retrieval's layout: the kept
 * vectors as `img_emb/img_emb_0.npy`, the score of every label in the order of `labels.json` as `scores/scores_0.npy`, and
 * `metadata/metadata_0.parquet`. Of a run with vectors that lacks scores, vectors alone.
 */
export const openNpy: OpenPart = async (folder, run) => {
  const omissions = createOmissions();
  const { vectors, hasAllScores } = run;
  const matrices = [
    ...(vectors ? [vectorsOf(vectors.dimensions)] : []),
    ...(hasAllScores || !vectors ? [scoresOf(run)] : []),
  ];
  for (const name of [...matrices.map((matrix) => matrix.folder), 'metadata'])
    await mkdir(join(folder, name));
  await writeFile(join(folder, 'labels.json'), `${JSON.stringify(run.labels)}\n`);
  let parts = 0;
  let part = await openPart(folder, parts++, run, matrices);
  return {
    async write(row) {
      if (row.status === 'failed') return omissions.add(FAILED);
      if (part.images === PART_IMAGES) {
        await part.end();
        part = await openPart(folder, parts++, run, matrices);
      }
      await part.write(row);
    },
    async end() {
      await part.end();
      return omissions.sentences();
    },
    close: () => part.close(),
  };
};

async function openPart(folder: string, part: number, run: ExportedRun, matrices: readonly Matrix[]) {
  const files = await Promise.all(
    matrices.map(async ({ folder: name, type, columns, numbersOf }) => {
      const file = await openNpyFile(join(folder, name, `${name}_${part}.npy`), type, columns);
      return { file, numbersOf };
    }),
  );
  const path = join(folder, `metadata/metadata_${part}.parquet`);
  const { vectors: _, ...about } = run;
  const keys = await openParquetWith(path, about, [textColumn('image_path', ({ uri }) => uri)]);
  return {
    get images() {
      return files[0]!.file.rows;
    },
    async write(row: ExportRow): Promise<void> {
      for (const { file, numbersOf } of files) await file.write(numbersOf(row));
      await keys.write(row);
    },
    async end(): Promise<void> {
      for (const { file } of files) await file.end();
      await keys.end();
    },
    async close(): Promise<void> {
      for (const { file } of files) await file.close();
    },
  };
}

function vectorsOf(dimensions: number): Matrix {
  return { folder: 'img_emb', type: '<f2', columns: dimensions, numbersOf: (row) => row.vector! };
}

/** A row's scores in the order of the labels. Its `numbersOf` throws USAGE where one is missing. */
function scoresOf({ labels }: ExportedRun): Matrix {
  const places = new Map(labels.map((label, i) => [label, i]));
  return {
    folder: 'scores',
    type: '<f4',
    columns: labels.length,
    numbersOf(row) {
      const predictions = row.status === 'classified' ? row.predictions : [];
      if (predictions.length !== labels.length) {
        const message = `Expected ${labels.length} scores for ${row.id}, one for each label, got ${predictions.length}: npy is written of runs with --top-k all and without thresholds, or with kept vectors.`;
        throw new ClipfleetError('USAGE', message);
      }
      const numbers = new Float32Array(labels.length);
      for (const { label, score } of predictions) numbers[places.get(label)!] = score;
      return new Uint8Array(numbers.buffer);
    },
  };
}
