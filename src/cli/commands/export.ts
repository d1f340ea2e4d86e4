import { listOptions, readSourceColumns, remoteOptions } from '../../openSource.ts';
import type { OtherColumns } from '../../producer/sources/otherColumns.ts';
import { formatOfOutput, openRowOutput } from '../../results/exports/exportFormat.ts';
import { checkOutput } from '../../results/exports/outputFile.ts';
import { withVectors } from '../../results/exports/vectorOutput.ts';
import { inGroups, writeRows } from '../../results/exports/writeRows.ts';
import { openPartedOutput } from '../../results/outputs/partedOutput.ts';
import { leastSureFirst } from '../../results/rows/sortedRows.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Config } from '../../shared/options/config.ts';
import { parseRoots } from '../../shared/refs/roots.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, withContext } from '../setup/context.ts';
import { decisionNames } from '../setup/decisions.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { exportedRunOf } from '../setup/exportedRun.ts';
import { vectorsFor } from '../setup/exportVectors.ts';
import { exportFormatOf } from '../setup/shownFormat.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { createExportProgress } from '../terminal/progress/exportProgress.ts';
import { say } from '../terminal/screen.ts';

const optionNames = [
  'format',
  'output',
  'force',
  'follow',
  'label',
  'minScore',
  'maxScore',
  'status',
  ...decisionNames,
  'sort',
  'topK',
  'join',
  ...listOptions,
  ...remoteOptions,
  'wide',
  'bom',
  'compact',
  'vectors',
  'root',
  'graceMs',
  ...contextOptions,
] as const;

type ExportConfig = Config<(typeof optionNames)[number]>;

export const exportCommand = createCommand({
  examples: [
    'clipfleet export nightly --output rows.csv',
    'clipfleet export nightly --output rows.parquet --join photos.csv',
    'clipfleet export nightly --output review.label-studio --sort uncertainty --max-score 0.5',
    'clipfleet export nightly --output rows.jsonl --follow',
  ],
  options: optionNames,
  oneOf: ['output'],
  async run([run], config) {
    const output = config.output!;
    const { follow, force, join } = config;
    const format = exportFormatOf(config);
    if (follow && config.vectors)
      throw usage('Expected --follow or --vectors, got both: vectors are read when the run has ended.');
    if (follow && config.sort)
      throw usage('Expected --follow or --sort, got both: rows come as they are made.');
    const inputs = join === undefined ? [] : [join];
    await checkOutput(output, { inputs, force, format, parts: follow });
    return withContext(config, async (context) => {
      const columns = join === undefined ? undefined : await readSourceColumns(join, config);
      return exportRun(context, run!, output, config, columns);
    });
  },
});

async function exportRun(
  context: Context,
  run: string,
  output: string,
  config: ExportConfig,
  columns: OtherColumns | undefined,
): Promise<number> {
  const { producer } = context;
  const format = formatOfOutput(output, exportFormatOf(config));
  const roots = parseRoots(config.root ?? [], process.cwd());
  const wanted = { vectors: config.vectors, roots };
  const vectors = config.follow ? undefined : await vectorsFor(format, await producer.describe(run), wanted);
  const sourceColumns = columns?.names ?? [];
  const about = { ...config, roots, sourceColumns };
  const exported = await exportedRunOf(context, run, { ...about, vectors, decide: config });
  const interrupt = onInterrupt('ending the export.', config);
  const { signal } = interrupt;
  const progress = await createExportProgress(producer, run);
  const opened =
    config.follow && format.kind !== 'lines'
      ? openPartedOutput(output, exported, format)
      : await openRowOutput(output, exported, format);
  const target = vectors ? withVectors(opened, vectors) : opened;
  try {
    const unreadable = new Set<string>();
    const reading = { signal, onUnreadable: (id: string) => void unreadable.add(id) };
    const rows = () => producer.rows(run, { ...reading, places: vectors !== undefined });
    const sorted = () => (config.sort ? leastSureFirst(rows()) : rows());
    const groups = config.follow ? producer.newRows(run, reading) : inGroups(sorted());
    const ended = await unlessInterrupted(signal, async () => {
      const { written, leftOut } = await writeRows(groups, target, {
        ...config,
        labels: config.label,
        ...(exported.judge && { judge: exported.judge }),
        source: columns?.cells,
        onRows: progress.update,
      });
      progress.stop();
      say([`${written} rows written to ${output}.`, ...leftOut].join(' '));
    });
    if (unreadable.size > 0)
      say(
        `Warning: what is stored for ${unreadable.size} images is no row: clipfleet audit ${run} removes it.`,
      );
    if (!ended) return exitCodes.interrupted;
    const { ended: runEnded, done, expected } = await producer.progress(run);
    if (!runEnded) say(`Not complete: ${done} of ${expected} images have their row so far.`);
    return exitCodes.classified;
  } finally {
    progress.stop();
    interrupt.stop();
  }
}

function usage(message: string): ClipfleetError {
  return new ClipfleetError('USAGE', message);
}
