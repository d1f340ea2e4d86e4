import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { LRUCache } from 'lru-cache';
import { type ChunkJob, parseChunkJob, type SalvagedChunk, salvageChunk } from '../shared/chunkJob.ts';
import { asClipfleetError, ClipfleetError } from '../shared/errors.ts';
import type { ImageRef } from '../shared/imageRef.ts';
import type { Logger } from '../shared/log.ts';
import type { ResultsStore } from '../shared/resultsStore.ts';
import type { FailedRow, Row } from '../shared/row.ts';
import type { Runs } from '../shared/runs.ts';
import type { Classify } from './classify.ts';
import type { LabelMatrices, PreparedLabels } from './labelMatrices.ts';

export interface ConsumeOptions {
  store: ResultsStore;
  runs: Runs;
  labelMatrices: LabelMatrices;
  classify: Classify;
  /** Identity of the model this worker serves. */
  model: string;
  fingerprint: string;
  /** How long a job of a newer wire version goes back to its lane before it fails. */
  newerGraceMs: number;
  log: Logger;
}

/** How long a job that this worker is too old for stays away. */
const NEWER_DELAY_MS = 10_000;

/** An image's outcome; whether it is stored depends on whether its error may pass. */
type Outcome = { row: Row; retry: boolean };

/**
 * What a worker does with one job: each image that has no row yet gets one; then the chunk is finished, and only then
 * does the job complete. Images whose error may pass are left for the job's next attempt, and get their failed row on
 * its last.
 *
 * A job delivered again does only what has no row, so being killed at any point costs repeated work and nothing else.
 */
export function createConsume(options: ConsumeOptions) {
  const { store, runs, labelMatrices, classify, model, fingerprint, log } = options;
  const knownRuns = new LRUCache<string, true>({ max: 10_000 });
  const warnedRuns = new LRUCache<string, true>({ max: 10_000 });

  async function consume(job: Job, token: string | undefined, urgent: boolean): Promise<void> {
    const chunk = await parse(job, token);
    if (!chunk) return;
    await checkRun(chunk);
    const todo = await withoutRow(chunk);
    if (todo.length > 0) await work(job, chunk, todo, urgent);
    await runs.finish(chunk.run, chunk.chunk);
  }

  /** The chunk; of a job that is none, what can be saved gets failed rows, and the rest stays in the failed set. */
  async function parse(job: Job, token: string | undefined): Promise<ChunkJob | undefined> {
    try {
      return parseChunkJob(job.data);
    } catch (thrown) {
      const error = asClipfleetError(thrown, 'JOB_INVALID');
      if (error.retry && Date.now() - job.timestamp < options.newerGraceMs) await putBack(job, token);
      log.error({ job: job.id, code: error.code }, error.message);
      const salvaged = salvageChunk(job.data);
      if (!salvaged) throw new UnrecoverableError(`${error.code}: ${error.message}`);
      await failChunk({ store, runs }, salvaged, error);
      return undefined;
    }
  }

  /** A chunk of a run nobody opened has no place for its rows, and one of another model no scores of ours. */
  async function checkRun({ run }: ChunkJob): Promise<void> {
    if (knownRuns.has(run)) return;
    const found = await runs.get(run);
    if (!found) {
      throw new UnrecoverableError(
        `RUN_UNKNOWN: Expected run '${run}' to be open: open it before adding jobs.`,
      );
    }
    if (found.model !== model) {
      throw new UnrecoverableError(
        `RUN_MISMATCH: Run '${run}' is for model ${found.model}, and its job is in the lane of ${model}.`,
      );
    }
    knownRuns.set(run, true);
  }

  async function putBack(job: Job, token: string | undefined): Promise<never> {
    await job.moveToDelayed(Date.now() + NEWER_DELAY_MS, token);
    throw new DelayedError();
  }

  async function withoutRow({
    run,
    generation,
    images,
  }: ChunkJob): Promise<{ ref: ImageRef; index: number }[]> {
    const ids = images.map(({ id }) => id);
    const done = await store.has(run, ids, generation);
    return images.map((ref, index) => ({ ref, index })).filter(({ ref }) => !done.has(ref.id));
  }

  async function work(job: Job, chunk: ChunkJob, todo: { ref: ImageRef; index: number }[], urgent: boolean) {
    const labels = await prepareLabels(chunk);
    const outcomes = await Promise.all(
      todo.map(({ ref, index }) => outcomeOf(chunk, ref, index, labels, urgent)),
    );
    const isLastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const final = outcomes.filter(({ retry }) => !retry || isLastAttempt);
    await store.putRows(
      chunk.run,
      final.map(({ row }) => row),
    );
    const left = outcomes.length - final.length;
    if (left > 0) {
      const why = outcomes.find(({ retry }) => retry)?.row as FailedRow;
      throw new Error(
        `${left} of ${chunk.images.length} images to try again, the first: ${why.error.message}`,
      );
    }
  }

  /** The label set, or the error that every image of the chunk fails with. */
  async function prepareLabels(chunk: ChunkJob): Promise<PreparedLabels | ClipfleetError> {
    try {
      const labels = await labelMatrices.get(chunk.labelSet);
      await warnOfTruncation(chunk.run, labels);
      return labels;
    } catch (error) {
      if (error instanceof ClipfleetError) return error;
      throw error;
    }
  }

  async function outcomeOf(
    chunk: ChunkJob,
    ref: ImageRef,
    index: number,
    labels: PreparedLabels | ClipfleetError,
    urgent: boolean,
  ): Promise<Outcome> {
    const base = { ...ref, generation: chunk.generation, place: { chunk: chunk.chunk, index } };
    try {
      if (labels instanceof ClipfleetError) throw labels;
      const predictions = await classify(ref, labels, urgent);
      return { row: { ...base, at: now(), status: 'classified', predictions, fingerprint }, retry: false };
    } catch (thrown) {
      const { code, message, retry } = asClipfleetError(thrown, 'INTERNAL');
      if (code === 'INTERNAL') log.error({ err: thrown, image: ref.id }, 'unexpected error');
      return { row: { ...base, at: now(), status: 'failed', error: { code, message } }, retry };
    }
  }

  async function warnOfTruncation(run: string, { truncated }: PreparedLabels): Promise<void> {
    if (truncated.length === 0 || warnedRuns.has(run)) return;
    warnedRuns.set(run, true);
    const named = truncated.slice(0, 10).map((label) => `'${label}'`);
    const more = truncated.length > named.length ? ` and ${truncated.length - named.length} more` : '';
    await runs.warn(run, `LABEL_TRUNCATED: too long for the text tower, and cut: ${named.join(', ')}${more}`);
  }

  return consume;
}

/**
 * Gives a failed row to every image of a chunk that has none, and finishes the chunk.
 */
export async function failChunk(
  { store, runs }: { store: ResultsStore; runs: Runs },
  { run, chunk, generation, images }: SalvagedChunk,
  { code, message }: ClipfleetError,
): Promise<void> {
  const done = await store.has(
    run,
    images.map(({ id }) => id),
    generation,
  );
  const rows = images.flatMap(({ id, uri }, index): Row[] =>
    done.has(id)
      ? []
      : [
          {
            id,
            uri,
            generation,
            place: { chunk, index },
            at: now(),
            status: 'failed',
            error: { code, message },
          },
        ],
  );
  await store.putRows(run, rows);
  await runs.finish(run, chunk);
}

function now(): string {
  return new Date().toISOString();
}
