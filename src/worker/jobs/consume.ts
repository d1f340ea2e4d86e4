import { DelayedError, type Job, type Queue } from 'bullmq';
import { promoteJob } from '../../shared/fleet/promoteJob.ts';
import type { FailedRow, Row } from '../../shared/rows/row.ts';
import { pieceOf } from '../../shared/runs/chunkJob.ts';
import type { StageTimes } from '../pipeline/stageTimes.ts';
import type { FailureBudget } from './failureBudget.ts';
import { createGiveAway } from './giveAway.ts';
import { createIntake, type IntakeOptions, isNewerAndYoung, type TakenChunk } from './intake.ts';
import { createLabelImages, type LabelImagesOptions, type Todo } from './labelImages.ts';
import { noteRefusals, Parked, PutOff, putOffUntil } from './putOff.ts';
import type { InHand, WorkInHand } from './workInHand.ts';

export interface ConsumeOptions extends IntakeOptions, LabelImagesOptions {
  times: Pick<StageTimes, 'timed'>;
  workInHand: WorkInHand;
  checkFailures: FailureBudget;
  /** Most images of a part that is given to other workers. */
  batchSize: number;
}

/** How long a job that this worker is too old for stays away. */
const NEWER_DELAY_MS = 10_000;

/**
 * What a worker does with one job: each image that has no row yet gets one; then the chunk is finished, and only then
 * does the job complete. Images whose error may pass are left for the job's next attempt, and get their failed row on
 * its last. Images whose host makes them wait are put off, which is no attempt: their job comes back at the host's time.
 *
 * Images that have not begun are called back when their run is paused or cancelled, or when another worker has nothing to
 * do: then they go back to the lane as parts of their chunk.
 *
 * A job delivered again does only what has no row, so being killed at any point costs repeated work and nothing else.
 */
export function createConsume(options: ConsumeOptions) {
  const { store, runs, times, workInHand, checkFailures, batchSize, newerGraceMs } = options;
  const putRows = times.timed(
    'store',
    (run: string, rows: Row[]) => store.putRows(run, rows),
    (_, rows) => rows.length,
  );
  const intake = createIntake(options);
  const labelImages = createLabelImages(options);

  async function consume(job: Job, token: string | undefined, urgent: boolean, lane: Queue): Promise<void> {
    try {
      const chunk = await intake.take(job);
      if (chunk) await begin(job, chunk, urgent, lane);
    } catch (error) {
      const delayMs = error instanceof PutOff ? error.delayMs : NEWER_DELAY_MS;
      if (!(error instanceof PutOff || isNewerAndYoung(error, job, newerGraceMs))) throw error;
      // Back to the lane without spending an attempt: hosts want time, the run is paused, or a fleet is being upgraded.
      await job.moveToDelayed(Date.now() + delayMs, token);
      // Whoever resumed the run before that did not find the job delayed.
      if (error instanceof Parked && (await runs.get(error.run))?.paused === undefined) await promoteJob(job);
      throw new DelayedError();
    }
  }

  async function begin(job: Job, chunk: TakenChunk, urgent: boolean, lane: Queue): Promise<void> {
    const [run, piece] = [chunk.run, pieceOf(chunk)];
    // Both in one round trip.
    const [answer, todo] = await Promise.all([
      runs.begin(run, piece, chunk.images.length),
      withoutRow(chunk),
    ]);
    if (answer === 'unknown') throw intake.unknownRun(run);
    if (answer === 'paused') throw new Parked(run);
    // Of a cancelled run the images are skipped: no row, and nothing to finish.
    if (answer === 'cancelled') return;
    // A divided chunk has fewer images in the ledger than its job has, and its other images are for the taking already.
    const canShare = !urgent && chunk.part === undefined && answer !== 'divided';
    const inHand = workInHand.take(run, lane.name, canShare);
    try {
      await work(job, chunk, todo, urgent, lane, inHand);
    } catch (error) {
      await runs.release(run, piece);
      throw error;
    } finally {
      inHand.done();
    }
  }

  async function work(
    job: Job,
    chunk: TakenChunk,
    todo: Todo[],
    urgent: boolean,
    lane: Queue,
    inHand: InHand,
  ): Promise<void> {
    const [run, piece] = [chunk.run, pieceOf(chunk)];
    const away = createGiveAway({ runs, lane, job, chunk, batchSize });
    const onCalledBack = (image: Todo) => {
      if (inHand.calledBack === 'shared') away.add(image);
    };
    const outcomes = await labelImages(job, chunk, todo, { urgent, signal: inHand.signal, onCalledBack });
    const isLastAttempt = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const waits = outcomes.flatMap(({ wait }) => wait ?? []);
    const tried = outcomes.filter(({ row, wait }) => row && !wait);
    const final = tried.filter(({ retry }) => !retry || isLastAttempt).map(({ row }) => row!);
    await putRows(run, final);
    if (final.some(({ status }) => status === 'failed')) await checkFailures(run);
    await noteRefusals(
      job,
      waits.some(({ refused }) => refused),
      final.length > 0,
    );

    const given = await away.done();
    const notBegun = outcomes.filter(({ row }) => !row).length - given;
    if (notBegun > 0 && inHand.calledBack === 'cancelled') return runs.release(run, piece);
    if (notBegun > 0) throw new Parked(run);
    const left = tried.length - final.length;
    if (left > 0) {
      const why = tried.find(({ retry }) => retry)?.row as FailedRow;
      throw new Error(
        `${left} of ${chunk.images.length} images to try again, the first: ${why.error.message}`,
      );
    }
    if (waits.length > 0) throw putOffUntil(waits.map(({ waitMs }) => waitMs));
    // Without parts given away in this delivery, all images of the job have their rows: those of earlier parts too.
    await runs.finish(run, piece, given === 0);
  }

  /** The images that have no row of their generation. One that is tried again keeps its place in the run. */
  async function withoutRow({ run, chunk, generation, images, indexes }: TakenChunk): Promise<Todo[]> {
    const found = await store.find(
      run,
      images.map(({ id }) => id),
    );
    return images.flatMap((ref, i) => {
      const row = found.get(ref.id);
      if (row && row.generation >= generation) return [];
      return [{ ref, place: row?.place ?? { chunk, index: indexes?.[i] ?? i } }];
    });
  }

  return consume;
}
