import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ClipfleetError, type ErrorCode, errorTable } from '../../shared/errors.ts';
import { chooseModel } from '../../shared/fleet/chooseModel.ts';
import type { Run } from '../../shared/runs/run.ts';
import { together } from '../../shared/together.ts';
import type { BatchContext } from './batchContext.ts';
import type { BatchEndpoint, PlannedRun, ReadLine } from './batchEndpoint.ts';
import type { BatchWindow } from './batchLines.ts';
import type { Batch } from './batchRecord.ts';

/** How a line came out: the body of its answer, or why there is none. */
export type LineOutcome = { body: unknown } | { error: ClipfleetError };

/** How often runs that are waited for are looked at. */
const LOOK_MS = 200;

/** Runs of a batch stay so much longer than it: whoever goes on with it late finds them. */
const MARGIN_MS = 3_600_000;

/** What a worker pauses a run with whose labels it cannot encode. */
const refusalForm = /^(LABEL_[A-Z_]+): (.*)$/s;

/**
 * Answers the lines of a window by runs, whose ids say the batch and the window: whoever does it again goes on with the same runs.
 * Resolves to an outcome for each line, by its number, and to the ids of the runs. Where the batch is to end, its runs are cancelled, and lines without an answer
 * have the signal's reason.
 *
 * @param ending aborted when the batch is to end
 * @param leaving aborted when this gateway is to leave it to others; its reason is thrown
 */
export async function serveWindow(
  context: BatchContext,
  batch: Batch,
  { number: window, lines }: BatchWindow,
  { ending, leaving }: { ending: AbortSignal; leaving: AbortSignal },
): Promise<{ outcomes: Map<number, LineOutcome>; runs: string[] }> {
  const runs: string[] = [];
  const outcomes = new Map<number, LineOutcome>();
  const endpoint = context.endpoints.get(batch.endpoint)!;
  const read: ReadLine<{ model: string | undefined }>[] = [];
  for (const { number, body, fault } of lines) {
    const line = fault ?? (await readLine(context, batch, endpoint, number, body).catch(asFault));
    if (line instanceof ClipfleetError) outcomes.set(number, { error: line });
    else read.push(line);
  }

  async function serve(asked: typeof read, apart = ''): Promise<void> {
    const planned = endpoint
      .plan(asked)
      .map((run) => ({ run, id: runId(batch.id, window, `${run.key}${apart}`) }));
    const opened: typeof planned = [];
    for (const each of planned) {
      leaving.throwIfAborted();
      runs.push(each.id);
      if (ending.aborted) break;
      await fill(context, batch, each.id, each.run, leaving);
      opened.push(each);
    }
    await Promise.all(opened.map(({ run, id }) => follow(run, id)));
  }

  async function follow(run: PlannedRun, id: string): Promise<void> {
    const refusal = await untilEnded(context, batch, id, run, { ending, leaving });
    if (refusal) await context.producer.cancel(id);
    if (refusal && run.isMixed) {
      for (const line of read.filter(({ number }) => run.lines.includes(number)))
        await serve([line], `/${line.number}`);
      return;
    }
    for (const number of run.lines) {
      const error = refusal ?? (ending.reason as ClipfleetError | undefined) ?? cancelledRun(id);
      const body = await run.answer(id, number).catch(asFault);
      const outcome =
        body instanceof ClipfleetError ? { error: body } : body === undefined ? { error } : { body };
      outcomes.set(number, outcome);
    }
  }

  await serve(read);
  const reason = ending.reason as ClipfleetError | undefined;
  for (const { number } of lines) if (!outcomes.has(number)) outcomes.set(number, { error: reason! });
  return { outcomes, runs };
}

/** Removes the runs of a window that is written: their rows may hold images. What is left of them expires. */
export async function forgetRuns({ producer }: BatchContext, runs: readonly string[]): Promise<void> {
  await together(runs, (run) => producer.remove(run).catch(unlessGone));
}

function runId(batch: string, window: number, key: string): string {
  return `${batch}-${window}-${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
}

async function readLine(
  { redis, keys, records }: BatchContext,
  batch: Batch,
  endpoint: BatchEndpoint,
  number: number,
  body: unknown,
): Promise<ReadLine<{ model: string | undefined }>> {
  const asked = endpoint.read(body);
  const choose = () => chooseModel(redis, keys, asked.model);
  return { number, asked, model: await records.model(batch.id, asked.model ?? '', choose) };
}

/** Opens the run and adds its images, or goes on with it as it is. */
async function fill(
  { producer }: BatchContext,
  batch: Batch,
  id: string,
  { model, labelSet, keepEmbeddings, images }: PlannedRun,
  signal: AbortSignal,
): Promise<void> {
  const known = await producer.runs.get(id);
  if (known && known.state !== 'open') return;
  const open = await producer.openRun({
    ...{ run: id, model, source: `batch ${batch.id}` },
    expireAfterMs: Math.max(batch.expires_at * 1_000 - Date.now(), 0) + MARGIN_MS,
    ...(labelSet && { labelSet }),
    ...(keepEmbeddings !== undefined && { keepEmbeddings }),
  });
  try {
    await open.add(images, { signal });
    await open.seal();
  } finally {
    await open.close();
  }
}

/** Resolves when the run has ended: undefined, or to why a worker refuses its labels. A run that Redis lost in part is filled again. */
async function untilEnded(
  context: BatchContext,
  batch: Batch,
  id: string,
  run: PlannedRun,
  { ending, leaving }: { ending: AbortSignal; leaving: AbortSignal },
): Promise<ClipfleetError | undefined> {
  const { producer } = context;
  for (;;) {
    leaving.throwIfAborted();
    const record: Run = await producer.describe(id);
    if (record.state === 'complete' || record.state === 'cancelled') return undefined;
    if (ending.aborted) return void (await producer.cancel(id));
    const [, code, message = ''] = refusalForm.exec(record.paused ?? '') ?? [];
    if (code !== undefined && code in errorTable) return new ClipfleetError(code as ErrorCode, message);
    if (record.state === 'open') await fill(context, batch, id, run, leaving);
    await delay(LOOK_MS);
  }
}

/** What is wrong with a line alone; a fault of the surroundings is thrown. */
function asFault(error: unknown): ClipfleetError {
  const isOfLine = ({ code }: ClipfleetError) =>
    errorTable[code].scope !== 'command' || code === 'MODEL_NOT_FOUND';
  if (error instanceof ClipfleetError && isOfLine(error)) return error;
  throw error;
}

function cancelledRun(id: string): ClipfleetError {
  return new ClipfleetError('RUN_CANCELLED', `Run '${id}', which answers the line, was cancelled.`);
}

/** Of another gateway's doing, or still in a worker's hand: then it goes by itself. */
function unlessGone(error: unknown): undefined {
  if (error instanceof ClipfleetError && ['RUN_UNKNOWN', 'RUN_BUSY'].includes(error.code)) return undefined;
  throw error;
}
