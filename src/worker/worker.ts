import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createHeartbeats } from '../shared/fleet/heartbeats.ts';
import type { WorkReport } from '../shared/fleet/servingWorkers.ts';
import type { LabelSet } from '../shared/labels/labelSet.ts';
import type { Logger } from '../shared/log/log.ts';
import { keysUnder } from '../shared/redis/keys.ts';
import type { ResultsStore } from '../shared/rows/resultsStore.ts';
import type { Row } from '../shared/rows/row.ts';
import { createLosses } from '../shared/runs/losses.ts';
import { createRunControl } from '../shared/runs/runControl.ts';
import type { Runs } from '../shared/runs/runs.ts';
import type { CountEvent } from '../shared/telemetry/countedEvents.ts';
import type { HealthReport } from './health.ts';
import { createConsume } from './jobs/consume.ts';
import { createFailureBudget } from './jobs/failureBudget.ts';
import { createIntake } from './jobs/intake.ts';
import type { GivenBack } from './jobs/jobsInHand.ts';
import { createLabelImages } from './jobs/labelImages.ts';
import { openLane } from './jobs/lane.ts';
import { createPrepareLabels } from './jobs/prepareLabels.ts';
import { createReachedVectors } from './jobs/reachedVectors.ts';
import { createLaneShare } from './jobs/shareLane.ts';
import { createLabelMatrices } from './labels/labelMatrices.ts';
import { createSolitude } from './losses/solitude.ts';
import { startHeart } from './losses/startHeart.ts';
import type { LoadedModel } from './model/loadModel.ts';
import { openLanes } from './openLanes.ts';
import type { OnStage, StageTimes } from './pipeline/stageTimes.ts';
import { openWorkerPipeline } from './pipeline/workerPipeline.ts';
import { timedStore } from './timedStore.ts';
import { createWorkInHand } from './verdicts/workInHand.ts';
import { watchHealth, watchSession } from './watchHealth.ts';
import type { WorkerSettings } from './workerSettings.ts';

export interface WorkerContext {
  redis: Redis;
  prefix: string;
  store: ResultsStore;
  runs: Runs;
  model: LoadedModel;
  /** Lanes of the model; an urgent one's images overtake. */
  lanes: readonly { name: string; urgent: boolean }[];
  roots: Map<string, string>;
  /** Read any path, as `clipfleet label` does for the user who typed it. */
  trustPaths: boolean;
  /** Directories of roots that vectors may be written to, by name. */
  writeRoots?: ReadonlyMap<string, string>;
  log: Logger;
  /** Told of each batch as it starts. */
  onBatch?: (images: number) => void;
  /** Told when images came through a stage. */
  onStage?: OnStage;
  /** Told of rows that the store has taken. */
  onRows?: (rows: readonly Row[]) => void;
  /** Counts what becomes of jobs, cache hits, changes of hosts and decoders that ended. */
  countEvent?: CountEvent;
  /** Told of the prompts of each text batch as it starts. */
  onTextBatch?: (prompts: number) => void;
}

export interface RunningWorker {
  /** Resolves when it takes jobs from all its lanes. */
  ready: Promise<void>;
  /**
   * Rejects when the session or the scoring thread is gone, or Redis went away before it was ready: the process should end, so that
   * another takes the jobs.
   */
  died: Promise<never>;
  /**
   * Encodes a label set, unless the fleet has it.
   *
   * @throws LABEL_NOT_EMBEDDED, INFERENCE_FAILED and what else the text tower says of prompts that it cannot encode
   */
  encodeLabels(labelSet: LabelSet): Promise<void>;
  /** What it did since the last call, or since its start. */
  takeReport(): WorkReport;
  /** Images in each stage now. */
  inside: StageTimes['inside'];
  /** Whether it works, as of a few seconds ago. */
  health(): HealthReport;
  /** Gives the jobs in hand back to their lanes, in seconds; images that have begun are not waited for. */
  giveBack(): Promise<GivenBack>;
  /**
   * Takes no new job, finishes those it has, closes. After four fifths of the grace time it gives back what is not finished, and resolves
   * without waiting any longer: not `finished`, and whoever asked should end the process.
   */
  close(graceMs: number): Promise<GivenBack & { finished: boolean }>;
}

/** Shares of the grace time: for finishing what is in hand, and then for Redis to take back what is left. */
const PATIENCE = 0.8;
const GIVING_BACK = 0.1;

/** For Redis to take the jobs back, where the worker has lost its session. */
const GIVE_BACK_MS = 2_500;

/** Constructs the line from lane to row, and starts it. */
export function startWorker(about: WorkerContext, config: WorkerSettings): RunningWorker {
  const { redis, prefix, store, runs, lanes, log } = about;
  const session = watchSession(about.model.session);
  const model = { ...about.model, session };
  const { batchSize, newerGraceMs, hostPatienceMs } = config;
  const { fingerprint } = model;
  const { dimensions } = session;
  const keys = keysUnder(prefix);
  const pipeline = openWorkerPipeline({ ...about, model, keys }, config);
  const { imagesInFlight, times, waiting } = pipeline;
  const shared = { redis, keys, fingerprint };
  const labelMatrices = createLabelMatrices({
    ...shared,
    embedTexts: (prompts) => model.session.embedTexts(prompts, about.onTextBatch),
    leaseMs: config.lockMs,
    countEvent: about.countEvent,
    onForeign: (key) =>
      log.warn({ key }, 'key of another type passed over: labels are encoded without a lease'),
  });
  const holder = randomUUID();
  const heartbeats = createHeartbeats(redis, keys);
  const heart = startHeart(heartbeats, holder, config.lockMs, log);
  const control = createRunControl(redis, keys);
  const share = createLaneShare(redis, keys);
  const vectors = createReachedVectors(about, { ...shared, labelMatrices, dimensions }, pipeline);
  const { classify, keepVectors, reachesVectors } = vectors;
  const consume = createConsume({
    intake: createIntake({ store, runs, model: model.identity, newerGraceMs, reachesVectors, log }),
    keepVectors,
    store: timedStore(store, times, about.onRows),
    runs,
    losses: createLosses(redis, keys),
    heartbeats,
    worker: holder,
    solitude: createSolitude(),
    workInHand: createWorkInHand({
      control,
      isShareWanted: share.isWanted,
      onError: (error) => log.error({ err: error }, 'run holds not checked'),
    }),
    prepareLabels: createPrepareLabels({ labelMatrices, runs, control, newerGraceMs, log }),
    labelImages: createLabelImages({ classify, fingerprint, hostPatienceMs, log }),
    checkFailures: createFailureBudget({ runs, store, control, log }),
    batchSize,
    log,
  });
  const counted: typeof consume = async (delivery) => {
    const verdict = await consume(delivery);
    about.countEvent?.('jobs', verdict.kind);
    return verdict;
  };
  const work = { consume: counted, share, holder, imagesInFlight, waiting };
  const context = { redis, prefix, store, runs, log, ...work };
  const opened = openLanes(lanes, (lane) => openLane(lane, context, config), log);
  const { ready } = opened;
  const health = watchHealth({
    redis,
    session,
    preprocessing: model.preprocessing,
    lanes: opened.watched,
    log,
  });
  const died = Promise.race([pipeline.died, health.died, ready.then(() => new Promise<never>(() => {}))]);
  died.catch((error: Error) => health.end(error.message));
  const giveBack = async (limitMs: number) => {
    health.end('it ends');
    const given = await opened.giveBack(limitMs);
    // What Redis did not take back was not lost with a process either.
    await Promise.race([heart.leave(), delay(limitMs, undefined, { ref: false })]).catch(() => {});
    return given;
  };
  const finish = async () => {
    await opened.close();
    await heart.leave();
    await Promise.all([pipeline.close(), vectors.close()]);
    return { finished: true, givenBack: 0, left: 0 };
  };
  return {
    ready,
    died,
    encodeLabels: labelMatrices.encode,
    takeReport: times.takeReport,
    inside: times.inside,
    health: health.report,
    giveBack: () => giveBack(GIVE_BACK_MS),
    close(graceMs) {
      health.end('it is told to stop');
      const later = async () => {
        await delay(PATIENCE * graceMs, undefined, { ref: false });
        return { finished: false, ...(await giveBack(GIVING_BACK * graceMs)) };
      };
      return Promise.race([finish(), later()]);
    },
  };
}
