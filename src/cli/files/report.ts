import { open, stat, writeFile } from 'node:fs/promises';
import PQueue from 'p-queue';
import { openThumbnails, thumbnailOptions } from '../../openThumbnails.ts';
import type { Report, Thumbnail } from '../../results/report/report.ts';
import { reportBeginning, reportPage } from '../../results/report/reportPage.ts';
import { countRows, type Sample, sampleRows } from '../../results/report/reportRows.ts';
import { byImages } from '../../results/report/reportSections.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { replaceFile } from '../../shared/files/replaceFile.ts';
import type { Config } from '../../shared/options/config.ts';
import { parseRoots } from '../../shared/refs/roots.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { say } from '../terminal/screen.ts';
import { counted } from './sortText.ts';

const optionNames = [
  'output',
  'force',
  'thumbnails',
  'root',
  ...thumbnailOptions,
  'graceMs',
  ...contextOptions,
] as const;

type ReportConfig = Config<(typeof optionNames)[number]>;

export const reportCommand = createCommand({
  examples: [
    'clipfleet report nightly -o report.html',
    'clipfleet report nightly -o report.html --thumbnails 0',
  ],
  options: optionNames,
  oneOf: ['output'],
  async run([run], config) {
    await checkPlace(config.output!, config.force);
    return withContext(config, (context) => writeReport(context, run!, config));
  },
});

/** Labels that have pictures, and how many pictures of each are those of its lowest scores. */
const GROUPS_MAX = 24;
const LOWEST = 3;
/** All pictures together, as they stand in the file. */
const PICTURE_CHARS_MAX = 3_500_000;
/** Pictures that are made at the same time. */
const AT_ONCE = 4;

async function writeReport({ producer }: Context, run: string, config: ReportConfig): Promise<number> {
  const record = await producer.describe(run);
  if (record.labelSet === noLabelSet)
    throw usage(`Run '${run}' has vectors and no labels: clipfleet relabel gives it some.`);
  const labelSet = await producer.labelSetOf(run);
  const { state, expected } = await producer.progress(run);
  const { model, labelSet: labelSetId, createdAt, source } = record;
  const madeAt = new Date().toISOString();
  const about = { run, model, labelSetId, labelSet, createdAt, madeAt, state, expected, source };
  const interrupt = onInterrupt('ending; nothing is written.', config);
  const { signal } = interrupt;
  try {
    const ended = await unlessInterrupted(signal, async () => {
      const totals = await countRows(producer.rows(run, { signal }));
      const labels = byImages(totals.labels)
        .slice(0, GROUPS_MAX)
        .map(([label]) => label);
      const most = Math.floor((config.thumbnails - totals.unsure.length) / Math.max(1, labels.length));
      const perLabel = {
        lowest: Math.min(LOWEST, Math.max(1, most)),
        byChance: Math.max(0, Math.min(most, 8) - LOWEST),
      };
      const sampled = await sampleRows(
        producer.rows(run, { signal }),
        { scores: totals.scores, labels },
        perLabel,
      );
      const shown = [...totals.unsure, ...[...sampled.byLabel.values()].flatMap(({ samples }) => samples)];
      const pictures = await picturesOf(shown, config, signal);
      const report: Report = { about, totals, ...sampled, thumbnailOf: ({ id }) => pictures.get(id) };
      const page = reportPage(report);
      await replaceFile(config.output!, (part) => writeFile(part, page, { flush: true }));
      const size = `${(Buffer.byteLength(page) / 1_000_000).toFixed(1)} MB`;
      const made = [...pictures.values()].filter((of) => 'url' in of).length;
      say(`${config.output}: ${totals.rows} rows, ${made} pictures, ${size}.`);
    });
    return ended ? exitCodes.classified : exitCodes.interrupted;
  } finally {
    interrupt.stop();
  }
}

/** By the ids of images. Equal images of two places in the report are one. */
async function picturesOf(
  samples: readonly Sample[],
  config: ReportConfig,
  signal: AbortSignal,
): Promise<Map<string, Thumbnail>> {
  const wanted = [...new Map(samples.map((sample) => [sample.id, sample])).values()].slice(
    0,
    config.thumbnails,
  );
  const pictures = new Map<string, Thumbnail>();
  if (wanted.length === 0) return pictures;
  const thumbnails = openThumbnails(parseRoots(config.root ?? [], process.cwd()), config);
  const queue = new PQueue({ concurrency: AT_ONCE });
  let chars = 0;
  try {
    await queue.addAll(
      wanted.map((ref) => async () => {
        if (chars > PICTURE_CHARS_MAX) return;
        const made = await thumbnails.thumbnailOf(ref, signal);
        if ('isNone' in made) return void pictures.set(ref.id, made);
        const url = `data:image/webp;base64,${Buffer.from(made.webp).toString('base64')}`;
        chars += url.length;
        pictures.set(ref.id, { url });
      }),
    );
  } finally {
    queue.clear();
    await thumbnails.close();
  }
  const missing = [...pictures.values()].filter((of) => 'isNone' in of).length;
  if (missing > 0) say(`${counted(missing)} could not be read for a picture: the report says why.`);
  return pictures;
}

/** Only a report is replaced, unless it is said. @throws USAGE */
async function checkPlace(output: string, force: boolean): Promise<void> {
  if (output === '-') throw usage('--output: expected a file for the report, got -.');
  const found = await stat(output).catch(() => undefined);
  if (!found || (force && found.isFile())) return;
  if (!found.isFile()) throw usage(`Expected a file for the report, got ${output}, which is none.`);
  const file = await open(output);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(reportBeginning.length));
    if (bytesRead === 0 || buffer.toString('utf8', 0, bytesRead) === reportBeginning) return;
  } finally {
    await file.close();
  }
  throw usage(`${output} exists and is no report: choose another name, or overwrite it with --force.`);
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
