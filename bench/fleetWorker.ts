// A worker process of bench/fleet.ts: lane and consume are those of a real worker, the session returns at once.

import { createHeartbeats } from '../src/shared/fleet/heartbeats.ts';
import { createLog } from '../src/shared/log/log.ts';
import { keysUnder } from '../src/shared/redis/keys.ts';
import { connectRedis } from '../src/shared/redis/redis.ts';
import { createRedisResultsStore } from '../src/shared/rows/redisResultsStore.ts';
import { createLosses } from '../src/shared/runs/losses.ts';
import { createRunControl } from '../src/shared/runs/runControl.ts';
import { createRuns } from '../src/shared/runs/runs.ts';
import { createConsume } from '../src/worker/jobs/consume.ts';
import { createIntake } from '../src/worker/jobs/intake.ts';
import { createLabelImages } from '../src/worker/jobs/labelImages.ts';
import { type LaneContext, openLane } from '../src/worker/jobs/lane.ts';
import { createPrepareLabels } from '../src/worker/jobs/prepareLabels.ts';
import { createLaneShare } from '../src/worker/jobs/shareLane.ts';
import { createSolitude } from '../src/worker/losses/solitude.ts';
import { createStageTimes } from '../src/worker/pipeline/stageTimes.ts';
import { createWorkInHand } from '../src/worker/verdicts/workInHand.ts';
import { fingerprint, labelSet, model, predictionsOf, prefix } from './fleetScene.ts';

/** What the parent says: open the lane, with rows or without, or close it. */
export type Order = { lane: string; rows: boolean } | 'close';

const redis = await connectRedis({ socket: process.argv[2]! });
const keys = keysUnder(prefix);
const [store, runs, log] = [
  createRedisResultsStore(redis, keys),
  createRuns(redis, keys),
  createLog('error'),
];
const holder = String(process.pid);
const [control, share] = [createRunControl(redis, keys), createLaneShare(redis, keys)];
const matrix = { data: new Float32Array(0), labels: labelSet.labels.length, dimensions: 0 };
const labels = { labelSet, matrix, truncated: [] };
const times = createStageTimes({ batchSize: 16, decoders: 1, imagesInFlight: 48 });
const losing = {
  losses: createLosses(redis, keys),
  heartbeats: createHeartbeats(redis, keys),
  solitude: createSolitude(),
  worker: holder,
};
const consume = createConsume({
  ...losing,
  log,
  intake: createIntake({ store, runs, log, model, newerGraceMs: 0 }),
  store: {
    find: store.find,
    putRows: times.timed('store', store.putRows, (_, rows) => rows.length),
  },
  runs,
  workInHand: createWorkInHand({
    control,
    isShareWanted: share.isWanted,
    onError: (error) => log.error(error),
  }),
  prepareLabels: createPrepareLabels({
    labelMatrices: { get: async () => labels },
    ...{ runs, control, newerGraceMs: 0, log },
  }),
  labelImages: createLabelImages({
    classify: async ({ id }) => ({ embedding: matrix.data, predictions: await predictionsOf(id) }),
    fingerprint,
    hostPatienceMs: 0,
    log,
  }),
  keepVectors: { keep: async () => {} },
  checkFailures: async () => {},
  batchSize: 16,
});
// The default of `clipfleet worker`: three batches of 16.
const waiting = () => 0;
const scene = { redis, prefix, store, runs, log, holder };
const context: LaneContext = { ...scene, consume, share, waiting, imagesInFlight: 48 };
const limits = { lockMs: 30_000 };
let opened: ReturnType<typeof openLane> | undefined;

process.on('message', async (order: Order) => {
  if (order === 'close') await opened?.close();
  else {
    const popAlone = async () => ({ kind: 'done' }) as const;
    const how = order.rows ? context : { ...context, consume: popAlone };
    opened = openLane({ name: order.lane, urgent: false }, how, limits);
  }
  process.send!('done');
});
process.on('disconnect', () => process.exit());
process.send!('done');
