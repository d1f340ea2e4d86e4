import { mkdir, symlink } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { openLineFile } from '../outputs/lineFile.ts';
import type { OpenPart } from '../outputs/wholeOutput.ts';
import { bestOf, cellText, type ExportedRun, type ExportRow } from '../rows/exportedRun.ts';
import { createOmissions, FAILED, localImage, NOT_LOCAL } from '../rows/localImage.ts';
import { shortFloat32 } from '../rows/shortestFloat32.ts';
import { besideOurs } from './csvRows.ts';
import { shortPrediction } from './jsonlRows.ts';

const ownColumns = ['file_name', 'id', 'label', 'score', 'predictions', 'decision'];

/** Links in a folder; file systems are slow with more. */
const FOLDER_LINKS = 1_000;

/**
 * An imagefolder of Hugging Face's datasets: `metadata.jsonl`, and a link to each image, because its `file_name` may not lead out of
 * the folder. Nothing is copied. Every line has every column, because the reader takes the schema from the first ones.
 */
export const openImagefolder: OpenPart = async (folder, run) => {
  const omissions = createOmissions();
  const file = await openLineFile(join(folder, 'metadata.jsonl'));
  const sourceNames = besideOurs(run.sourceColumns, ownColumns);
  let links = 0;

  /** Resolves to the link's path in the folder. */
  async function link(path: string): Promise<string> {
    const below = join('images', String(Math.floor(links / FOLDER_LINKS)).padStart(6, '0'));
    if (links % FOLDER_LINKS === 0) await mkdir(join(folder, below), { recursive: true });
    const name = join(below, `${String(links++).padStart(9, '0')}${extname(path)}`);
    await symlink(path, join(folder, name));
    return name;
  }

  return {
    async write(row) {
      const path = localImage(row.uri, run);
      if (row.status === 'failed') return omissions.add(FAILED);
      if (path === undefined) return omissions.add(NOT_LOCAL);
      await file.write(JSON.stringify(lineOf(row, await link(path), run, sourceNames)));
    },
    async end() {
      await file.end();
      return omissions.sentences();
    },
    close: file.end,
  };
};

function lineOf(
  row: ExportRow,
  file_name: string,
  { sourceColumns, judge }: ExportedRun,
  sourceNames: string[],
) {
  const best = bestOf(row);
  const predictions = row.status === 'classified' ? row.predictions.map(shortPrediction) : [];
  const source = sourceColumns.map((column, i) => [sourceNames[i], cellText(row.source?.[column])]);
  return {
    file_name,
    id: row.id,
    label: best?.label ?? null,
    score: best ? shortFloat32(best.score) : null,
    predictions,
    ...(judge && { decision: row.decision ?? null }),
    ...Object.fromEntries(source),
  };
}
