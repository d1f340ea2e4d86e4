import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { inRedis } from '../../shared/embeddings/answerVectors.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { addChunkJobs } from '../../shared/fleet/chunkJobs.ts';
import { laneName } from '../../shared/fleet/lanes.ts';
import { type LabelSet, labelSetId } from '../../shared/labels/labelSet.ts';
import { storeLabelSet } from '../../shared/labels/storedLabelSet.ts';
import { defaultOf } from '../../shared/options/config.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import type { ResultsStore } from '../../shared/rows/resultsStore.ts';
import { noLabelSet, type Row } from '../../shared/rows/row.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { untilAborted } from '../../shared/untilAborted.ts';
import { openRecord } from '../runs/newRun.ts';
import { createRunEnds } from './runEnds.ts';

export interface OneImage {
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  /** None for the image's vector alone. */
  labelSet: LabelSet | undefined;
  /** Whether the vectors of the image and of the labels are wanted in Redis. */
  withVectors?: boolean;
  /** Id of the run that is made for the image, and of the image in it. */
  run: string;
  /** Where its bytes are, or a `data:` URL of them. */
  uri: string;
}

export interface AnswerOptions {
  /** How long to wait for the answer, in milliseconds; 60,000 when absent. */
  timeoutMs?: number;
  /**
   * How long Redis keeps the run and its row, in milliseconds from when it is asked for; an hour when absent, and never less than a second after the time
   * limit of the answer.
   */
  keptMs?: number;
  /** Ends the waiting: it rejects with the signal's reason at once. */
  signal?: AbortSignal;
}

export interface LabelOneOptions extends AnswerOptions {
  /** `name@revision:dtype`, as a worker prints it when it starts. */
  model: string;
  labelSet: LabelSet;
}

const ANSWER_TIMEOUT_MS = 60_000;
const MARGIN_MS = 1_000;

export interface Answers {
  /** Adds the image as a run of its own that expires, and does not wait for it. */
  send(image: OneImage, expireAfterMs: number, source?: string): Promise<void>;
  /** The row of one image, which overtakes bulk runs. @throws ANSWER_TIMEOUT, and the signal's reason */
  labelOne(image: OneImage, options?: AnswerOptions): Promise<Row>;
  /** Images that wait in the model's interactive lane. */
  waiting(model: string): Promise<number>;
  close(): Promise<void>;
}

interface AnswersContext {
  redis: Redis;
  openLane(name: string): Queue;
  keys: Keys;
  runs: Runs;
  store: ResultsStore;
  control: RunControl;
}

/** Asks for single images: each is a run of one image, whose end is heard of and not polled for. */
export function createAnswers({ redis, openLane, keys, runs, store, control }: AnswersContext): Answers {
  const ends = createRunEnds(redis, keys, runs);
  const lanes = new Map<string, Queue>();

  function laneOf(model: string) {
    const name = laneName('interactive', model);
    const lane = lanes.get(name) ?? openLane(name);
    lanes.set(name, lane);
    return lane;
  }

  /** The run is sealed before its job can be done, so that the end of the job is that of the run. */
  async function send(image: OneImage, expireAfterMs: number, source = 'classify'): Promise<void> {
    const { model, labelSet, withVectors, run, uri } = image;
    const lane = laneOf(model);
    const id = labelSet ? labelSetId(labelSet) : noLabelSet;
    const [, record] = await Promise.all([
      labelSet && storeLabelSet(redis, keys, labelSet, expireAfterMs),
      openRecord(
        runs,
        { run, isNew: true },
        {
          ...{ model, labelSet: id, lane: lane.name, expireAfterMs },
          ...{ store: store.name, storeAddress: store.address },
        },
      ),
    ]);
    const { birth, expiresAt } = record;
    await Promise.all([
      store.bear({ run, birth: birth!, expiresAt }),
      runs.announce(record, 0, 1),
      withVectors && control.setEmbeddings(run, inRedis),
    ]);
    const pieces = [{ piece: '0', generation: 0, images: [{ id: run, uri }] }];
    await Promise.all([
      runs.seal(record),
      control.setSource(run, source),
      addChunkJobs(lane, record, pieces, defaultOf('attempts')),
    ]);
  }

  return {
    send,

    async labelOne(image, options = {}) {
      const { timeoutMs = ANSWER_TIMEOUT_MS, keptMs = defaultOf('answerKeptMs'), signal } = options;
      const timeout = AbortSignal.timeout(timeoutMs);
      const { ended, stop } = await ends.listen(image.run);
      try {
        const limit = signal ? AbortSignal.any([signal, timeout]) : timeout;
        await untilAborted(limit, async () => {
          await send(image, Math.max(keptMs, timeoutMs + MARGIN_MS));
          await ended;
        });
      } catch (error) {
        if (error !== timeout.reason) throw error;
        const message = `Expected an answer within ${timeoutMs} ms, got none: run '${image.run}' goes on.`;
        throw new ClipfleetError('ANSWER_TIMEOUT', message);
      } finally {
        stop();
      }
      const row = await store.getRow(image.run, image.run);
      if (row) return row;
      throw new ClipfleetError(
        'RUN_CANCELLED',
        `Run '${image.run}' was cancelled before its image had a row.`,
      );
    },
    waiting: (model) => laneOf(model).getWaitingCount(),
    async close() {
      ends.close();
      await Promise.all([...lanes.values()].map((lane) => lane.close()));
    },
  };
}
