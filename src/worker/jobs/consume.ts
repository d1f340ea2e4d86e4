import type { Logger } from '../../shared/log/log.ts';
import type { FoundRow, ResultsStore } from '../../shared/rows/resultsStore.ts';
import type { Row } from '../../shared/rows/row.ts';
import { pieceOf } from '../../shared/runs/chunkJob.ts';
import type { Losses } from '../../shared/runs/losses.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { Solitude } from '../losses/solitude.ts';
import { type ImageOutcome, rowsOf } from '../verdicts/imageOutcome.ts';
import { type JobVerdict, postponed, verdictOf } from '../verdicts/jobVerdict.ts';
import type { InHand, WorkInHand } from '../verdicts/workInHand.ts';
import { createAfterLosses } from './afterLosses.ts';
import type { Delivery } from './delivery.ts';
import type { FailureBudget } from './failureBudget.ts';
import { createGiveAway, type GivenAway } from './giveAway.ts';
import type { Intake, TakenChunk } from './intake.ts';
import type { KeepVectors } from './keepVectors.ts';
import type { LabelImages, Todo } from './labelImages.ts';
import type { LabelsOfChunk, PrepareLabels } from './prepareLabels.ts';
import { createTakeHold, type TakeHoldOptions } from './takeHold.ts';

export interface ConsumeOptions extends Pick<TakeHoldOptions, 'heartbeats' | 'worker'> {
  intake: Intake;
  store: Pick<ResultsStore, 'find' | 'putRows'>;
  runs: Pick<Runs, 'begin' | 'finish' | 'release' | 'split' | 'divide'>;
  losses: Losses;
  /** One for all that a process works on. */
  solitude: Solitude;
  workInHand: WorkInHand;
  prepareLabels: PrepareLabels;
  labelImages: LabelImages;
  keepVectors: Pick<KeepVectors, 'keep'>;
  checkFailures: FailureBudget;
  /** Most images of a part that is given to other workers. */
  batchSize: number;
  log: Pick<Logger, 'warn' | 'error'>;
}

/** What a worker does with one job, from its delivery to what becomes of it. */
export type Consume = (delivery: Delivery) => Promise<JobVerdict>;

/**
 * What a worker does with one job: each image that has no row yet gets one; then the chunk is finished, and only then
 * is the job done. Images whose error may pass are left for the job's next attempt, and get their failed row on its last.
 * Images whose host makes them wait postpone the job, which is no attempt: it comes back at the host's time.
 *
 * Images that have not begun are called back when their run is paused or cancelled, or when another worker has nothing to
 * do: then they go back to the lane as parts of their chunk.
 *
 * A job delivered again does only what has no row, so being killed at any point costs repeated work and nothing else. Images that
 * a process died with are done in smaller pieces, and at last alone.
 */
export function createConsume(options: ConsumeOptions): Consume {
  const { intake, store, runs, solitude, workInHand, prepareLabels, labelImages, batchSize } = options;
  const { keepVectors, checkFailures } = options;
  const takeHold = createTakeHold(options);
  const afterLosses = createAfterLosses({ ...options, storeRows });

  async function consume(delivery: Delivery): Promise<JobVerdict> {
    const taken = await intake.take(delivery);
    if (taken.kind !== 'taken') return taken;
    const { chunk } = taken;
    const verdict = await solitude.together(() => workOn(delivery, chunk, false));
    if (verdict !== 'alone') return verdict;
    const alone = await solitude.alone(() => workOn(delivery, chunk, true));
    return alone === 'alone' ? postponed(0) : alone;
  }

  /** Resolves to 'alone' where nothing else may be in hand meanwhile, and something may. */
  async function workOn(
    delivery: Delivery,
    chunk: TakenChunk,
    alone: boolean,
  ): Promise<JobVerdict | 'alone'> {
    const begun = await begin(delivery, chunk, alone);
    if (begun.kind !== 'begun') return begun;
    const { todo, inHand, hasSuspects } = begun;
    const away = createGiveAway({ runs, delivery, chunk, batchSize });
    try {
      if (hasSuspects) {
        const plan = await afterLosses.plan(delivery, chunk, todo);
        if (typeof plan !== 'string') return plan.kind === 'done' ? plan : await letGo(chunk, plan);
        if (plan === 'alone' && !alone) return await letGo(chunk, plan);
      }
      const outcomes = await label(delivery, chunk, todo, inHand, away.add);
      if (!Array.isArray(outcomes)) return await letGo(chunk, outcomes);
      // A row never lacks its vector.
      await keepVectors.keep(chunk, outcomes);
      const rows = rowsOf(outcomes, delivery.isLastAttempt);
      await storeRows(chunk, rows);
      if (hasSuspects) await afterLosses.outlived(chunk.run, todo, rows);
      return await settle(delivery, chunk, outcomes, inHand, await away.done());
    } catch (error) {
      // What went wrong says more than what goes wrong because of it.
      await letGo(chunk, undefined).catch(() => {});
      throw error;
    } finally {
      inHand.done();
    }
  }

  /** Says in the ledger that the chunk is worked on, and finds which of its images have no row. */
  async function begin(
    { lane, urgent, isFirst }: Delivery,
    chunk: TakenChunk,
    alone: boolean,
  ): Promise<{ kind: 'begun'; todo: Todo[]; inHand: InHand; hasSuspects: boolean } | JobVerdict> {
    const { run, part } = chunk;
    // Both in one round trip.
    const looking = withoutRow(chunk, isFirst);
    const [begun, todo] = await Promise.all([takeHold(chunk, alone, looking), looking]);
    if (begun.kind === 'postponed') return begun;
    if (begun.kind === 'unknown') return intake.refuseRemoved(chunk);
    if (begun.kind === 'paused') return { kind: 'parked', run };
    // Of a cancelled run the images are skipped: no row, and nothing to finish.
    if (begun.kind === 'cancelled') return { kind: 'cancelled' };
    // A divided chunk has fewer images in the ledger than its job has, and its other images are for the taking already.
    const canShare = !urgent && part === undefined && begun.kind !== 'divided';
    const { hasSuspects } = begun;
    return { kind: 'begun', todo, inHand: workInHand.take(run, lane, canShare), hasSuspects };
  }

  /**
   * The images that have no row of their generation. One that is tried again keeps its place in the run. Nothing is asked on the
   * first delivery of images that are new: an id that came before costs work, and its first row stays.
   */
  async function withoutRow(taken: TakenChunk, isFirst: boolean): Promise<Todo[]> {
    const { run, chunk, generation, images, indexes } = taken;
    const ids = images.map(({ id }) => id);
    const found = isFirst && generation === 0 ? new Map<string, FoundRow>() : await store.find(run, ids);
    return images.flatMap((ref, i) => {
      const row = found.get(ref.id);
      if (row && row.generation >= generation) return [];
      return [{ ref, place: row?.place ?? { chunk, index: indexes?.[i] ?? i } }];
    });
  }

  async function label(
    delivery: Delivery,
    chunk: TakenChunk,
    todo: readonly Todo[],
    inHand: InHand,
    giveAway: (image: Todo) => void,
  ): Promise<ImageOutcome[] | JobVerdict> {
    if (todo.length === 0) return [];
    const prepared = await prepareLabels(delivery, chunk);
    if (prepared.kind === 'postponed' || prepared.kind === 'parked') return prepared;
    return labelImages(todo, labelsIn(prepared), {
      run: chunk.run,
      relabels: chunk.relabels,
      generation: chunk.generation,
      urgent: delivery.urgent,
      refusedSince: delivery.refusedSince,
      signal: inHand.signal,
      onCalledBack: (image) => {
        if (inHand.calledBack === 'shared') giveAway(image);
      },
    });
  }

  /** Undefined where the run wants none. */
  function labelsIn(prepared: Exclude<LabelsOfChunk, JobVerdict>) {
    if (prepared.kind === 'ready') return prepared.labels;
    return prepared.kind === 'unusable' ? prepared.error : undefined;
  }

  async function storeRows(chunk: TakenChunk, rows: Row[]): Promise<void> {
    await store.putRows(chunk, rows);
    if (rows.some(({ status }) => status === 'failed')) await checkFailures(chunk.run);
  }

  async function settle(
    { isLastAttempt, refusedSince }: Delivery,
    chunk: TakenChunk,
    outcomes: ImageOutcome[],
    { calledBack }: InHand,
    away: GivenAway,
  ): Promise<JobVerdict> {
    const { run } = chunk;
    const now = Date.now();
    const verdict = verdictOf({ run, outcomes, isLastAttempt, calledBack, ...away, refusedSince, now });
    if (verdict.kind !== 'done') return letGo(chunk, verdict);
    // Without parts given away in this delivery, all images of the job have their rows: those of earlier parts too.
    await runs.finish(chunk, pieceOf(chunk), away.given === 0);
    return verdict;
  }

  async function letGo<T>(chunk: TakenChunk, verdict: T): Promise<T> {
    await runs.release(chunk, pieceOf(chunk), options.worker);
    return verdict;
  }

  return consume;
}
