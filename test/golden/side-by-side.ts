/**
 * Holds `clipfleet label` and transformers.js' own pipeline against Python's, on the same files, labels and template.
 *
 *     node dist/test/golden/side-by-side.js python.json        made by side_by_side.py
 *
 * Prints Markdown: photographs label by label, the bundled pictures in sum.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { env, pipeline } from '@huggingface/transformers';
import { repository } from '../support/fleet.ts';
import { agreementOf, inFigures, scoresIn } from './agreement.ts';

interface ImageSet {
  name: string;
  /** From the repository. */
  folder: string;
  template: string;
  labels: string[];
  images: { file: string; scores: number[] }[];
}

interface Python {
  versions: Record<string, string>;
  sets: ImageSet[];
}

/** Scores in the order of the set's labels, by image in the set's order. */
type Scores = number[][];

const model = join(repository, 'models/demo');

async function clipfleet({ folder, template, labels, images }: ImageSet): Promise<Scores> {
  const start = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const files = images.map(({ file }) => join(repository, folder, file));
  const flags = ['--model', model, '--labels', labels.join(), '--template', template, '--output', '-'];
  const { stdout } = await promisify(execFile)(process.execPath, [start, 'label', ...files, ...flags]);
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const rowOf = new Map(rows.map((row) => [basename(row.uri), row.predictions]));
  return images.map(({ file }) => scoresIn(labels, rowOf.get(file)));
}

async function transformersJs({ folder, template, labels, images }: ImageSet): Promise<Scores> {
  env.allowRemoteModels = false;
  const classify = await pipeline('zero-shot-image-classification', model, {
    dtype: 'fp32',
    local_files_only: true,
  });
  const scores: Scores = [];
  for (const { file } of images) {
    const found = await classify(join(repository, folder, file), labels, { hypothesis_template: template });
    scores.push(scoresIn(labels, found as { label: string; score: number }[]));
  }
  await classify.dispose();
  return scores;
}

function printTable({ labels, images }: ImageSet, ours: Scores, js: Scores): void {
  console.log('| file | label | Python | `clipfleet label` | transformers.js |\n|---|---|---|---|---|');
  for (const [i, { file, scores }] of images.entries()) {
    for (const [l, label] of labels.entries()) {
      const cells = [scores, ours[i]!, js[i]!].map((row) => row[l]!.toFixed(4));
      console.log(`| ${l === 0 ? `\`${file}\`` : ''} | ${label} | ${cells.join(' | ')} |`);
    }
  }
  console.log();
}

function summary(called: string, { name, images, labels }: ImageSet, scores: Scores): string {
  const theirs = images.map((image) => image.scores);
  const { largest, mean, best } = agreementOf(scores, theirs);
  const what = `${images.length} ${name} × ${labels.length} labels`;
  return `| ${what} | ${called} | ${inFigures(largest)} | ${inFigures(mean)} | ${best} of ${images.length} |`;
}

const path = process.argv[2];
if (path === undefined) throw new Error('Expected the file that side_by_side.py wrote.');
const python = JSON.parse(await readFile(path, 'utf8')) as Python;
const photographs = '../shared/reference/photos';
if (!python.sets.some(({ folder }) => folder === photographs)) {
  console.error(`Skipped the photographs: ${photographs} was not there when side_by_side.py ran.`);
}
const lines: string[] = [];
for (const set of python.sets) {
  const [ours, js] = [await clipfleet(set), await transformersJs(set)];
  if (set.folder === photographs) printTable(set, ours, js);
  lines.push(summary('`clipfleet label`', set, ours), summary('transformers.js', set, js));
}
console.log('| what | who | largest difference to Python | mean | same best label |\n|---|---|---|---|---|');
console.log(lines.join('\n'));
