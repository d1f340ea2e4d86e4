import type { TestContext } from 'node:test';
import { Queue } from 'bullmq';
import { createHeartbeats } from '../../src/shared/fleet/heartbeats.ts';
import { defineLabelSet } from '../../src/shared/labels/labelSet.ts';
import type { Logger } from '../../src/shared/log/log.ts';
import { keysUnder } from '../../src/shared/redis/keys.ts';
import type { ImageRef } from '../../src/shared/refs/imageRef.ts';
import type { RankedLabel } from '../../src/shared/rows/prediction.ts';
import { createLosses } from '../../src/shared/runs/losses.ts';
import { createRunControl } from '../../src/shared/runs/runControl.ts';
import { type ConsumeOptions, createConsume } from '../../src/worker/jobs/consume.ts';
import { createIntake } from '../../src/worker/jobs/intake.ts';
import { createLabelImages } from '../../src/worker/jobs/labelImages.ts';
import { type Lane, openLane } from '../../src/worker/jobs/lane.ts';
import { createSolitude } from '../../src/worker/losses/solitude.ts';
import { createWorkInHand } from '../../src/worker/verdicts/workInHand.ts';
import type { Fleet } from './fleet.ts';
import { model } from './heart.ts';
import { matrix } from './threeLabels.ts';

export const prefix = 'clipfleet';
export const laneOfTest = '{lane}';

const labelSet = defineLabelSet({ labels: ['fox', 'bear', 'owl'] });
const labels = { labelSet, matrix, truncated: [] };

/** Run r, sealed, of so many images in chunks of four, whose jobs have one attempt: any that is spent is final. */
export async function addRun({ producer }: Fleet, images: number): Promise<void> {
  const run = await producer.openRun({ model, labelSet, run: 'r', privateLane: laneOfTest });
  const refs = Array.from({ length: images }, (_, i) => ({ id: `i${i}`, uri: `i${i}.jpg` }));
  await run.add(refs, { chunkSize: 4, attempts: 1 });
  await run.seal();
  await run.close();
}

/** A log that is kept: its lines by level and text. */
export function keepLog() {
  const lines: { level: string; text: string; about: Record<string, unknown> }[] = [];
  const at = (level: string) => (about: Record<string, unknown>, text: string) =>
    void lines.push({ level, text, about });
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  return { lines, log: log as unknown as Logger };
}

export interface LaneHow extends Partial<Pick<ConsumeOptions, 'prepareLabels'>> {
  log: Logger;
  lockMs?: number;
  /** The worker's name in the ledger. */
  holder?: string;
  classify?: (ref: ImageRef) => Promise<RankedLabel[]>;
}

/**
 * A worker's lane in this process: real queue, ledger and rows, with a function in place of the pipeline. To be closed before the
 * fleet's Redis goes.
 */
export function openLaneHere({ redis, producer }: Pick<Fleet, 'redis' | 'producer'>, how: LaneHow): Lane {
  const { store, runs } = producer;
  const { log, lockMs = 30_000, holder = 'here', classify = async () => [{ index: 1, score: 0.5 }] } = how;
  const keys = keysUnder(prefix);
  return openLane(
    { name: laneOfTest, urgent: false },
    {
      ...{ redis, prefix, store, runs, log, holder },
      consume: createConsume({
        intake: createIntake({ store, runs, model, newerGraceMs: 0, log }),
        store,
        runs,
        losses: createLosses(redis, keys),
        heartbeats: createHeartbeats(redis, keys),
        worker: holder,
        solitude: createSolitude(),
        log,
        workInHand: createWorkInHand({
          control: createRunControl(redis, keys),
          isShareWanted: async () => false,
          onError: () => {},
        }),
        prepareLabels: how.prepareLabels ?? (async () => ({ kind: 'ready', labels })),
        keepVectors: { keep: async () => {} },
        labelImages: createLabelImages({
          classify: async (ref) => ({ embedding: matrix.data, predictions: await classify(ref) }),
          ...{ fingerprint: 'f', hostPatienceMs: 0, log },
        }),
        checkFailures: async () => {},
        batchSize: 4,
      }),
      share: { want: async () => {}, isWanted: async () => false },
      imagesInFlight: 8,
      waiting: () => 0,
    },
    { lockMs },
  );
}

export function openTestQueue(t: TestContext, { redis }: Fleet): Queue {
  const queue = new Queue(laneOfTest, { connection: redis, prefix });
  t.after(() => queue.close());
  return queue;
}
