import {
  type Bottleneck,
  type Stage,
  type StageTime,
  stages,
  type WorkReport,
} from '../../shared/fleet/servingWorkers.ts';

/** How much a worker has of what its stages use. */
export interface StageLimits {
  batchSize: number;
  decoders: number;
  imagesInFlight: number;
}

/** Told when images came through a stage, with the time that each was in it. */
export type OnStage = (stage: Stage, ms: number, images: number) => void;

export interface StageTimes {
  /** `images` enter a stage. Returns the time, which `end` wants back. */
  begin(stage: Stage, images?: number): number;
  end(stage: Stage, begunAt: number, images?: number): void;
  /** The work, with its time put down to a stage; `imagesOf` says how many images a call is for, if not one. */
  timed<A extends unknown[], R>(
    stage: Stage,
    work: (...args: A) => R | Promise<R>,
    imagesOf?: (...args: A) => number,
  ): (...args: A) => Promise<R>;
  /** Images in each stage now. */
  inside(): Record<Stage, number>;
  /** What was done since the last call, and begins a new window. */
  takeReport(): WorkReport;
}

/** A resource that is used less than this of what there is of it holds nothing up. */
const USED_MIN = 0.5;

/**
 * Measures the stages of a worker, in sums: an image costs two readings of the clock and some additions a stage, and
 * what is under way counts while it is under way, so that a stage which never ends shows too.
 *
 * The bottleneck is the resource that is most used of what there is of it:
 *
 *   session, score   share of the window in which it was at work: each is one thread;
 *   decode           images in it at the same time, of the decoders;
 *   event loop       share of the window in which the main thread did not wait for an event;
 *   fetch, store     images in it at the same time, of the images in flight: at 1 all places are taken by them;
 *   idle             none of them is used half: the worker waits for jobs.
 *
 * @param now a clock in milliseconds
 * @param onStage told of each call that ended
 * @param loopUse share of the time since its last call in which the event loop was at work, 0 to 1
 */
export function createStageTimes(
  limits: StageLimits,
  now = () => performance.now(),
  loopUse = createLoopUse(),
  onStage?: OnStage,
): StageTimes {
  let windowBegan = now();
  const gauges = Object.fromEntries(stages.map((stage) => [stage, createGauge(windowBegan)])) as Record<
    Stage,
    Gauge
  >;

  function begin(stage: Stage, images = 1): number {
    const at = now();
    settle(gauges[stage], at);
    gauges[stage].inside += images;
    return at;
  }

  function end(stage: Stage, begunAt: number, images = 1): void {
    const gauge = gauges[stage];
    const at = now();
    settle(gauge, at);
    gauge.inside -= images;
    gauge.calls++;
    gauge.images += images;
    gauge.spentMs += (at - begunAt) * images;
    onStage?.(stage, at - begunAt, images);
  }

  return {
    begin,
    end,

    timed(stage, work, imagesOf = () => 1) {
      return async (...args) => {
        const images = imagesOf(...args);
        const begunAt = begin(stage, images);
        try {
          return await work(...args);
        } finally {
          end(stage, begunAt, images);
        }
      };
    },

    inside: () =>
      Object.fromEntries(stages.map((stage) => [stage, gauges[stage].inside])) as Record<Stage, number>,

    takeReport() {
      const at = now();
      const windowMs = at - windowBegan;
      for (const stage of stages) settle(gauges[stage], at);
      const report = reportOf(gauges, windowMs, loopUse(), limits);
      windowBegan = at;
      for (const stage of stages) gauges[stage] = { ...createGauge(at), inside: gauges[stage].inside };
      return report;
    },
  };
}

/** The sums of one stage since the window began. */
interface Gauge {
  /** Images in the stage now, since the last change. */
  inside: number;
  changedAt: number;
  /** Milliseconds with at least one image inside, and those times the images inside. */
  busyMs: number;
  imageMs: number;
  calls: number;
  images: number;
  /** Of the images that came through, over their whole stay. */
  spentMs: number;
}

function createGauge(at: number): Gauge {
  return { inside: 0, changedAt: at, busyMs: 0, imageMs: 0, calls: 0, images: 0, spentMs: 0 };
}

function settle(gauge: Gauge, at: number): void {
  const passed = at - gauge.changedAt;
  if (gauge.inside > 0) gauge.busyMs += passed;
  gauge.imageMs += passed * gauge.inside;
  gauge.changedAt = at;
}

function createLoopUse(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const current = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(current, last);
    last = current;
    return utilization;
  };
}

function reportOf(
  gauges: Record<Stage, Gauge>,
  windowMs: number,
  eventLoop: number,
  limits: StageLimits,
): WorkReport {
  const timeOf = ({ images, spentMs, busyMs, imageMs }: Gauge): StageTime => ({
    images,
    meanMs: images > 0 ? spentMs / images : 0,
    busy: windowMs > 0 ? busyMs / windowMs : 0,
    atOnce: windowMs > 0 ? imageMs / windowMs : 0,
  });
  const times = Object.fromEntries(stages.map((stage) => [stage, timeOf(gauges[stage])])) as Record<
    Stage,
    StageTime
  >;
  const { images, calls: batches } = gauges.inference;
  return {
    windowMs,
    images,
    imagesPerSecond: windowMs > 0 ? (images * 1000) / windowMs : 0,
    batches,
    fill: batches > 0 ? images / (batches * limits.batchSize) : 0,
    eventLoop,
    bottleneck: bottleneckOf(times, eventLoop, limits),
    stages: times,
  };
}

function bottleneckOf(times: Record<Stage, StageTime>, eventLoop: number, limits: StageLimits): Bottleneck {
  const used: [Bottleneck, number][] = [
    ['session', times.inference.busy],
    ['decode', times.decode.atOnce / limits.decoders],
    ['score', times.score.busy],
    ['event loop', eventLoop],
    ['fetch', times.fetch.atOnce / limits.imagesInFlight],
    ['store', times.store.atOnce / limits.imagesInFlight],
  ];
  const [name, share] = used.reduce((most, each) => (each[1] > most[1] ? each : most));
  return share >= USED_MIN ? name : 'idle';
}
