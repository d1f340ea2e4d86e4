import { type Stage, stages } from '../../shared/fleet/servingWorkers.ts';
import { NO_IMAGE } from '../../shared/refs/noImage.ts';
import type { Row } from '../../shared/rows/row.ts';
import { type CountEvent, countedEvents, type EventName } from '../../shared/telemetry/countedEvents.ts';
import {
  Counter,
  createProcessRegistry,
  Gauge,
  Histogram,
  type MetricsText,
  textOf,
} from '../../shared/telemetry/metrics.ts';

/** What never changes while a worker runs. */
export interface ModelLabels {
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  device: string;
  version: string;
}

/** Numbers of a worker for Prometheus. No label names a run or an image: series would grow with them. */
export interface WorkerMetrics {
  /** `images` came through a stage in `ms` milliseconds. */
  onStage(stage: Stage, ms: number, images: number): void;
  /** A batch of so many images starts. */
  onBatch(images: number): void;
  /** Rows that the store has taken. */
  onRows(rows: readonly Row[]): void;
  countEvent: CountEvent;
  /** Everything in Prometheus' text format, with its content type. */
  text(): Promise<MetricsText>;
}

/** What is read when somebody asks. */
export interface LiveNumbers {
  /** Images in each stage. */
  inside: Readonly<Record<Stage, number>>;
  ready: boolean;
}

/** From a cached file to a slow host, in seconds. */
const STAGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * The metrics of one worker process. Names and units follow https://prometheus.io/docs/practices/naming/.
 *
 * @param batchSize images in a full batch
 * @param live asked at each scrape; undefined before the worker has started
 */
export function createWorkerMetrics(
  about: ModelLabels,
  batchSize: number,
  live: () => LiveNumbers | undefined,
): WorkerMetrics {
  const registry = createProcessRegistry();
  const registers = [registry];
  new Gauge({
    ...{ name: 'clipfleet_model_info', help: 'The model that the worker serves, always 1.', registers },
    labelNames: ['model', 'device', 'version'],
  }).set({ ...about }, 1);
  new Gauge({ name: 'clipfleet_batch_size', help: 'Images in a full batch.', registers }).set(batchSize);
  new Gauge({
    ...{
      name: 'clipfleet_worker_ready',
      help: 'Whether the worker is ready, as /ready says: 1 or 0.',
      registers,
    },
    collect() {
      this.set(live()?.ready ? 1 : 0);
    },
  });
  new Gauge({
    ...{ name: 'clipfleet_stage_images', help: 'Images in a stage now.', registers, labelNames: ['stage'] },
    collect() {
      const now = live();
      for (const stage of stages) this.set({ stage }, now?.inside[stage] ?? 0);
    },
  });
  const seconds = new Histogram({
    ...{ name: 'clipfleet_stage_duration_seconds', help: 'Time of an image in a stage.', registers },
    ...{ labelNames: ['stage'], buckets: STAGE_SECONDS },
  });
  const batches = new Histogram({
    ...{ name: 'clipfleet_batch_images', help: 'Images in a batch.', registers },
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  });
  const rows = new Counter({
    name: 'clipfleet_images_total',
    help: 'Images that ended as a row, by its status and, of a failed one, the code of its error.',
    ...{ registers, labelNames: ['status', 'code'] },
  });
  // A series that begins at 0 has a rate from its first image on.
  for (const stage of stages) seconds.zero({ stage });
  rows.inc({ status: 'classified', code: '' }, 0);

  return {
    onStage(stage, ms, images) {
      for (let i = 0; i < images; i++) seconds.observe({ stage }, ms / 1_000);
    },
    onBatch: (images) => batches.observe(images),
    onRows(written) {
      for (const row of written.filter(({ uri }) => uri !== NO_IMAGE))
        rows.inc({ status: row.status, code: row.status === 'failed' ? row.error.code : '' });
    },
    countEvent: createEventCounters(registers),
    text: () => textOf(registry),
  };
}

/** The counters of `countedEvents`, whose series begin at 0. */
function createEventCounters(registers: ReturnType<typeof createProcessRegistry>[]): CountEvent {
  const counters = new Map<EventName, Counter>();
  for (const [name, { help, label, values }] of Object.entries(countedEvents)) {
    const counter = new Counter({ name: `clipfleet_${name}_total`, help, labelNames: [label], registers });
    for (const value of values) counter.inc({ [label]: value }, 0);
    counters.set(name as EventName, counter);
  }
  return (name, value) => counters.get(name)!.inc({ [countedEvents[name].label]: value });
}
