import { DelayedError, type Job } from 'bullmq';
import { LRUCache } from 'lru-cache';
import { asClipfleetError, ClipfleetError } from '../shared/errors.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import type { FailedRow, Row } from '../shared/row.ts';
import type { Classify } from './classify.ts';
import { HostWait } from './hostWait.ts';
import { createIntake, type IntakeOptions, isNewerAndYoung, type TakenChunk } from './intake.ts';
import type { LabelMatrices, PreparedLabels } from './labelMatrices.ts';
import { isOutOfPatience, noteRefusals, PutOff, putOffUntil } from './putOff.ts';
import type { StageTimes } from './stageTimes.ts';

export interface ConsumeOptions extends IntakeOptions {
  labelMatrices: LabelMatrices;
  classify: Classify<ImageRef>;
  fingerprint: string;
  times: Pick<StageTimes, 'timed'>;
  /** How long a host may refuse an image before that is an attempt. */
  hostPatienceMs: number;
}

/** How long a job that this worker is too old for stays away. */
const NEWER_DELAY_MS = 10_000;

/** An image that has no row yet, and its place in the chunk. */
interface Todo {
  ref: ImageRef;
  index: number;
}

/** An image's row, and whether another attempt may give a better one; or why it was no attempt. */
interface Outcome {
  row: Row;
  retry: boolean;
  wait?: HostWait;
}

/**
 * What a worker does with one job: each image that has no row yet gets one; then the chunk is finished, and only then
 * does the job complete. Images whose error may pass are left for the job's next attempt, and get their failed row on
 * its last. Images whose host makes them wait are put off, which is no attempt: their job comes back at the host's time.
 *
 * A job delivered again does only what has no row, so being killed at any point costs repeated work and nothing else.
 */
export function createConsume(options: ConsumeOptions) {
  const { store, runs, labelMatrices, classify, fingerprint, times, newerGraceMs, hostPatienceMs, log } =
    options;
  const putRows = times.timed(
    'store',
    (run: string, rows: Row[]) => store.putRows(run, rows),
    (_, rows) => rows.length,
  );
  const take = createIntake(options);
  const warnedRuns = new LRUCache<string, true>({ max: 10_000 });

  async function consume(job: Job, token: string | undefined, urgent: boolean): Promise<void> {
    try {
      const chunk = await take(job);
      if (!chunk) return;
      await work(job, chunk, urgent);
      await runs.finish(chunk.run, chunk.chunk);
    } catch (error) {
      const delayMs = error instanceof PutOff ? error.delayMs : NEWER_DELAY_MS;
      if (!(error instanceof PutOff || isNewerAndYoung(error, job, newerGraceMs))) throw error;
      // Back to the lane without spending an attempt: hosts want time, or a fleet is being upgraded.
      await job.moveToDelayed(Date.now() + delayMs, token);
      throw new DelayedError();
    }
  }

  async function work(job: Job, chunk: TakenChunk, urgent: boolean): Promise<void> {
    const todo = await withoutRow(chunk);
    if (todo.length === 0) return;
    const labels = await prepareLabels(job, chunk);
    const outcomes = await Promise.all(todo.map((each) => outcomeOf(job, chunk, each, labels, urgent)));
    const isLastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const waits = outcomes.flatMap(({ wait }) => wait ?? []);
    const tried = outcomes.filter(({ wait }) => !wait);
    const final = tried.filter(({ retry }) => !retry || isLastAttempt).map(({ row }) => row);
    await putRows(chunk.run, final);
    const isRefused = waits.some(({ refused }) => refused);
    await noteRefusals(job, isRefused, final.length > 0);
    const left = tried.length - final.length;
    if (left > 0) {
      const why = tried.find(({ retry }) => retry)?.row as FailedRow;
      throw new Error(
        `${left} of ${chunk.images.length} images to try again, the first: ${why.error.message}`,
      );
    }
    if (waits.length > 0) throw putOffUntil(waits.map(({ waitMs }) => waitMs));
  }

  async function withoutRow({ run, generation, images }: TakenChunk): Promise<Todo[]> {
    const ids = images.map(({ id }) => id);
    const done = await store.has(run, ids, generation);
    return images.map((ref, index) => ({ ref, index })).filter(({ ref }) => !done.has(ref.id));
  }

  /** The label set, or the error that every image of the chunk fails with. */
  async function prepareLabels(job: Job, chunk: TakenChunk): Promise<PreparedLabels | ClipfleetError> {
    try {
      const labels = await labelMatrices.get(chunk.labelSet);
      await warnOfTruncation(chunk.run, labels);
      return labels;
    } catch (error) {
      if (!(error instanceof ClipfleetError)) throw error;
      if (error.code === 'SESSION_LOST' || isNewerAndYoung(error, job, newerGraceMs)) throw error;
      return error;
    }
  }

  async function outcomeOf(
    job: Job,
    { chunk, generation }: TakenChunk,
    { ref, index }: Todo,
    labels: PreparedLabels | ClipfleetError,
    urgent: boolean,
  ): Promise<Outcome> {
    const { id, uri } = ref;
    const base = () => ({ id, uri, generation, place: { chunk, index }, at: now() });
    try {
      if (labels instanceof ClipfleetError) throw labels;
      const predictions = await classify(ref, labels, urgent);
      return { row: { ...base(), status: 'classified', predictions, fingerprint }, retry: false };
    } catch (thrown) {
      const error = asClipfleetError(thrown, 'INTERNAL');
      const { code, message, retry } = error;
      // Not the image's fault: no row, so that the job's next worker does it.
      if (code === 'SESSION_LOST') throw error;
      if (code === 'INTERNAL') log.error({ err: thrown, image: ref.id }, 'unexpected error');
      const row = { ...base(), status: 'failed', error: { code, message } } as const;
      const isWait = error instanceof HostWait && !(error.refused && isOutOfPatience(job, hostPatienceMs));
      return isWait ? { row, retry, wait: error } : { row, retry };
    }
  }

  async function warnOfTruncation(run: string, { truncated }: PreparedLabels): Promise<void> {
    if (truncated.length === 0 || warnedRuns.has(run)) return;
    warnedRuns.set(run, true);
    const named = truncated.slice(0, 10).map((label) => `'${label.slice(0, 80)}'`);
    const more = truncated.length > named.length ? ` and ${truncated.length - named.length} more` : '';
    await runs.warn(run, `LABEL_TRUNCATED: too long for the text tower, and cut: ${named.join(', ')}${more}`);
  }

  return consume;
}

let second = 0;
let formatted = '';

/** The time as rows have it, formatted once a second: that takes as long as encoding a row. */
function now(): string {
  const current = Math.floor(Date.now() / 1_000);
  if (current !== second) [second, formatted] = [current, new Date(1_000 * current).toISOString()];
  return formatted;
}
