import { ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Row } from '../../shared/rows/row.ts';
import { pieceOf } from '../../shared/runs/chunkJob.ts';
import type { Losses } from '../../shared/runs/losses.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { DEATHS_MAX, planOf } from '../losses/lossPlan.ts';
import { type JobVerdict, postponed } from '../verdicts/jobVerdict.ts';
import type { Delivery } from './delivery.ts';
import { piecesOf } from './giveAway.ts';
import type { TakenChunk } from './intake.ts';
import type { Todo } from './labelImages.ts';

export interface AfterLossesOptions {
  runs: Pick<Runs, 'divide' | 'finish'>;
  losses: Pick<Losses, 'suspects' | 'acquit' | 'spare' | 'reset'>;
  storeRows: (chunk: TakenChunk, rows: Row[]) => Promise<void>;
  worker: string;
  log: Pick<Logger, 'error'>;
}

/** Another delivery is about to change the piece. */
const OVERTAKEN_MS = 1_000;

/** What a worker does about images that were in hand when a process died. */
export function createAfterLosses({ runs, losses, storeRows, worker, log }: AfterLossesOptions) {
  async function condemn(chunk: TakenChunk, images: readonly Todo[]): Promise<void> {
    const { run, generation } = chunk;
    if (images.length === 0) return;
    const code = 'IMAGE_CRASHED_WORKER';
    const message = `${DEATHS_MAX} worker processes died that worked on this image and on nothing else.`;
    const { at, error } = { at: Math.floor(Date.now() / 1_000), error: new ClipfleetError(code, message) };
    for (const { ref } of images) log.error({ run, image: ref.id, code }, message);
    const rows = images.map(({ ref, place }): Row => {
      return { ...ref, generation, place, at, status: 'failed', error: { code, message: error.message } };
    });
    await storeRows(chunk, rows);
    await losses.reset(
      run,
      rows.map(({ id }) => id),
    );
  }

  return {
    /**
     * How the images of a piece that is held are to be worked on; or what becomes of its job, where they went back to the lane in smaller
     * pieces.
     */
    async plan(
      delivery: Delivery,
      chunk: TakenChunk,
      todo: readonly Todo[],
    ): Promise<'together' | 'alone' | JobVerdict> {
      const { run } = chunk;
      const suspects = await losses.suspects(
        run,
        todo.map(({ ref }) => ref.id),
      );
      const plan = planOf(todo, ({ ref }) => suspects.get(ref.id));
      if (plan.kind !== 'divided') return plan.kind;
      await condemn(chunk, plan.condemned);
      if (plan.parts.length > 0) {
        const sizes = plan.parts.map(({ length }) => length);
        const first = await runs.divide(chunk, pieceOf(chunk), sizes);
        if (first === 0) return postponed(OVERTAKEN_MS);
        await delivery.addJobs(chunk, piecesOf(chunk, plan.parts, first), delivery.attempts);
      }
      await runs.finish(chunk, pieceOf(chunk), plan.parts.length === 0);
      return { kind: 'done' };
    },

    /** The process outlived these images. */
    async outlived(run: string, images: readonly Todo[], rows: readonly Row[]): Promise<void> {
      const withRow = new Set(rows.map(({ id }) => id));
      await losses.acquit(run, [...withRow]);
      for (const { ref } of images) if (!withRow.has(ref.id)) await losses.spare(run, ref.id, worker);
    },
  };
}

export type AfterLosses = ReturnType<typeof createAfterLosses>;
