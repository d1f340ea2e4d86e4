import { listServing } from '../../shared/fleet/servingWorkers.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { createCommand } from '../setup/commandOptions.ts';
import { type Context, contextOptions, withContext } from '../setup/context.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { shownFormat } from '../setup/shownFormat.ts';
import { accountText } from '../terminal/accountText.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { alignColumns, printable } from '../terminal/printable.ts';
import { followRun } from '../terminal/progress/follow.ts';
import { createProgress } from '../terminal/progress/progress.ts';
import { columnsOf, say } from '../terminal/screen.ts';
import { bottleneckOf, formatWorkers } from '../terminal/workersTable.ts';

export const statusCommand = createCommand({
  examples: [
    'clipfleet status 20261123-145500-k3x9q2',
    'clipfleet status nightly --watch',
    'clipfleet status nightly --format jsonl | jq .waiting',
    "clipfleet status nightly --format jsonl | jq '.workers[] | {host, pid, bottleneck}'",
  ],
  options: ['format', 'watch', 'graceMs', ...contextOptions] as const,
  run: ([id], config) =>
    withContext(config, async (context) => {
      const format = shownFormat(config);
      if (config.watch) await watch(context, id!, config.graceMs);
      const status = await readStatus(context, id!);
      process.stdout.write(`${format === 'jsonl' ? JSON.stringify(status) : formatStatus(status)}\n`);
      return exitCodes.classified;
    }),
});

/** How often the workers are asked what holds them up; they say it every ten seconds. */
const BOTTLENECK_MS = 2_000;

async function watch({ producer, redis, prefix }: Context, run: string, graceMs: number): Promise<void> {
  const { model, images, pending } = await producer.describe(run);
  const progress = createProgress(images - pending);
  const interrupt = onInterrupt('leaving; the run goes on.', { graceMs });
  let bottleneck: string | undefined;
  const look = async () => {
    bottleneck = bottleneckOf(await listServing(redis, keysUnder(prefix), model));
  };
  await look();
  const timer = setInterval(() => void look().catch(() => {}), BOTTLENECK_MS);
  try {
    await followRun(producer, run, progress, { signal: interrupt.signal, bottleneck: () => bottleneck });
  } finally {
    clearInterval(timer);
    progress.stop();
    interrupt.stop();
  }
}

async function readStatus({ producer, redis, prefix }: Context, run: string) {
  const record = await producer.describe(run);
  const [progress, warnings, workers] = await Promise.all([
    producer.progress(run),
    producer.runs.warnings(run),
    listServing(redis, keysUnder(prefix), record.model, (worker) =>
      say(`Worker ${worker} says what this version cannot read: it is newer or somebody else’s.`),
    ),
  ]);
  const { model, labelSet, lane, createdAt, maxFailureRate } = record;
  const imagesPerSecond = workers.reduce((sum, worker) => sum + worker.imagesPerSecond, 0);
  const about = { run, model, labelSet, lane, createdAt, maxFailureRate };
  return { ...about, ...progress, warnings, imagesPerSecond, workers };
}

function formatStatus(status: Awaited<ReturnType<typeof readStatus>>): string {
  const { run, model, labelSet, lane, createdAt, state, paused, failures, warnings, workers } = status;
  const failed = Object.entries(failures).sort(([, a], [, b]) => b - a);
  const lines = [
    ...Object.entries({ run, model, labelSet, lane, createdAt, state }),
    ...(paused === undefined ? [] : [['paused', `${paused}: clipfleet resume ${run}`]]),
    ['images', accountText(status)],
    ...failed.map(([code, images]) => ['failed', `${images} ${code}`]),
    ...warnings.map((warning) => ['warning', warning]),
  ];
  const table = alignColumns(lines.map((cells) => cells.map(printable)));
  return `${table}\n\n${formatWorkers(workers, status.imagesPerSecond, columnsOf(process.stdout))}`;
}
