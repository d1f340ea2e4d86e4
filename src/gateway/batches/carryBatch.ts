import { ClipfleetError } from '../../shared/errors.ts';
import type { BatchContext } from './batchContext.ts';
import { type BatchWindow, surveyBatch, windowsOf } from './batchLines.ts';
import { createBatchOutput } from './batchOutput.ts';
import { type Batch, hasEnded } from './batchRecord.ts';
import { forgetRuns, serveWindow } from './batchWindow.ts';

/** Windows that are in hand together: so many of 256 images, and of 4 MiB, are in memory and in Redis. */
const WINDOWS_AT_ONCE = 8;

/** How often it is looked whether somebody cancels the batch. */
const LOOK_MS = 500;

/**
 * Takes a batch from where it is to its end. Whoever does it again does only what is not written yet.
 *
 * @param leaving aborted when this gateway is to leave it to others; its reason is thrown
 * @throws faults of the surroundings, after which it may be taken up again
 */
export async function carryBatch(context: BatchContext, id: string, leaving: AbortSignal): Promise<void> {
  const { records, log } = context;
  const batch = await records.get(id).catch((error) => {
    if (error instanceof ClipfleetError && error.code === 'BATCH_UNKNOWN') return undefined;
    throw error;
  });
  if (batch && !hasEnded(batch)) {
    const watch = watchEnd(context, batch);
    try {
      await carry(context, batch, watch.ending, leaving);
    } catch (error) {
      const isLate = Date.now() >= batch.expires_at * 1_000;
      if (leaving.aborted || !(isEndOf(error) || (isLate && error instanceof ClipfleetError))) throw error;
      await records.tell(id, { errors: [{ code: error.code, message: error.message, line: null }] });
      await records.say(id, 'failed_at');
    } finally {
      watch.stop();
    }
    const { status, total, completed, failed } = await records.get(id);
    log.info({ batch: id, status, total, completed, failed }, 'batch ended');
  }
  await createBatchOutput(context.files).clear(id);
  await records.close(id);
}

async function carry(
  context: BatchContext,
  batch: Batch,
  ending: AbortSignal,
  leaving: AbortSignal,
): Promise<void> {
  const { records, files } = context;
  const { id, endpoint, input_file_id } = batch;
  const output = createBatchOutput(files);
  const { total, repeated } = await surveyBatch(await files.read(input_file_id));
  await records.tell(id, { total });
  await records.say(id, 'in_progress_at');
  const { weigh } = context.endpoints.get(endpoint)!;
  const inHand = new Set<Promise<void>>();
  let windows = 0;

  async function serve(window: BatchWindow): Promise<void> {
    if (batch.windows.has(window.number) && (await output.has(id, window.number))) return;
    const { outcomes, runs } = await serveWindow(context, batch, window, { ending, leaving });
    await records.done(id, window.number, await output.write(id, window, outcomes));
    await forgetRuns(context, runs);
  }

  try {
    for await (const window of windowsOf(await files.read(input_file_id), { endpoint, repeated, weigh })) {
      leaving.throwIfAborted();
      windows = window.number + 1;
      const serving = serve(window);
      inHand.add(serving);
      void serving.then(() => inHand.delete(serving)).catch(() => {});
      if (inHand.size >= WINDOWS_AT_ONCE) await Promise.race(inHand);
    }
    await Promise.all(inHand);
  } finally {
    // What is under way is not left alone, whatever went wrong.
    await Promise.allSettled(inHand);
  }
  // Who cancels a batch all of whose lines are answered is too late.
  const end = momentOf(ending);
  await records.say(id, 'finalizing_at');
  await records.tell(id, await output.join(id, windows, batch.output_kept_s));
  await records.say(id, end);
}

function momentOf({ aborted, reason }: AbortSignal) {
  if (!aborted) return 'completed_at';
  return (reason as ClipfleetError).code === 'BATCH_EXPIRED' ? 'expired_at' : 'cancelled_at';
}

/** What ends a batch: its time, or somebody who cancels it. */
function watchEnd({ records }: BatchContext, { id, at, expires_at }: Batch) {
  const ending = new AbortController();
  const cancel = () => ending.abort(new ClipfleetError('BATCH_CANCELLED', `Batch '${id}' was cancelled.`));
  if (at.cancelling_at !== undefined) cancel();
  const expire = () => {
    if (Date.now() >= expires_at * 1_000)
      ending.abort(new ClipfleetError('BATCH_EXPIRED', `Batch '${id}' came to the end of its time.`));
  };
  expire();
  const looking = setInterval(() => {
    expire();
    records.get(id).then(
      (now) => now.at.cancelling_at !== undefined && cancel(),
      () => {},
    );
  }, LOOK_MS);
  return { ending: ending.signal, stop: () => clearInterval(looking) };
}

/** What no other try would change. */
function isEndOf(error: unknown): error is ClipfleetError {
  return error instanceof ClipfleetError && ['BATCH_INVALID', 'FILE_UNKNOWN'].includes(error.code);
}
