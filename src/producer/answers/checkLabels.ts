import type { Redis } from 'ioredis';
import { ClipfleetError, type ErrorCode, errorTable } from '../../shared/errors.ts';
import { listServing } from '../../shared/fleet/servingWorkers.ts';
import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { NO_IMAGE } from '../../shared/refs/noImage.ts';
import { newRunId } from '../runs/newRun.ts';
import { type RunState, waitForRun } from '../runs/runProgress.ts';
import type { OneImage } from './labelOne.ts';

export interface LabelsToCheck {
  /** Identity of the model, `name@revision:dtype`. */
  model: string;
  labelSet: LabelSet;
  /** How long to wait for a worker's word, in milliseconds; 30,000 when absent. */
  timeoutMs?: number;
  /** Ends the waiting: it rejects with the signal's reason at once. */
  signal?: AbortSignal;
}

/** `unserved`: no worker serves the model. `unanswered`: those that do have not come to it in time. */
export type LabelsChecked = 'encoded' | 'unserved' | 'unanswered';

interface CheckContext extends RunState {
  redis: Redis;
  keys: Keys;
  /** Sends the one image of a run that expires. */
  send(image: OneImage, expireAfterMs: number, source: string): Promise<void>;
  cancel(run: string): Promise<unknown>;
  remove(run: string): Promise<unknown>;
}

const TIMEOUT_MS = 30_000;
const MARGIN_MS = 1_000;
/** How often it is asked whether a worker still serves the model. */
const LOOK_MS = 1_000;

/**
 * Asks a worker that serves the model whether it can encode the labels, before any image is added: by a run of one image that is none, in the
 * interactive lane, which overtakes what waits. Workers of any version answer it: they pause a run whose labels they cannot encode.
 * What they encoded is there for the run to come.
 *
 * @throws the code with which the model refuses the labels, and the signal's reason
 */
export async function checkLabels(
  context: CheckContext,
  { model, labelSet, timeoutMs = TIMEOUT_MS, signal }: LabelsToCheck,
): Promise<LabelsChecked> {
  const { redis, keys, store } = context;
  const isServed = async () => (await listServing(redis, keys, model)).length > 0;
  if (!(await isServed())) return 'unserved';
  const run = newRunId();
  const [timeout, unserved] = [AbortSignal.timeout(timeoutMs), new AbortController()];
  const look = async () => {
    if (!(await isServed())) unserved.abort();
  };
  const timer = setInterval(() => void look().catch(() => {}), LOOK_MS);
  try {
    await context.send({ model, labelSet, run, uri: NO_IMAGE }, timeoutMs + MARGIN_MS, 'labels');
    const signals = [timeout, unserved.signal, ...(signal ? [signal] : [])];
    await waitForRun(context, run, {
      signal: AbortSignal.any(signals),
      onProgress: ({ paused }) => {
        if (paused !== undefined) throw refusalOf(paused);
      },
    });
    const row = await store.getRow(run, run);
    if (row?.status === 'failed' && row.error.code.startsWith('LABEL_')) throw errorOf(row.error);
    return 'encoded';
  } catch (error) {
    if (error === timeout.reason) return 'unanswered';
    if (error === unserved.signal.reason) return 'unserved';
    throw error;
  } finally {
    clearInterval(timer);
    // Where a worker still has it in hand, it goes by itself.
    await context
      .cancel(run)
      .then(() => context.remove(run))
      .catch(() => {});
  }
}

/** The error that a worker paused the run with. */
function refusalOf(paused: string): ClipfleetError {
  const [, code = 'INTERNAL', message = paused] = /^([A-Z_]+): (.*)$/s.exec(paused) ?? [];
  return errorOf({ code, message });
}

function errorOf({ code, message }: { code: string; message: string }): ClipfleetError {
  return new ClipfleetError(code in errorTable ? (code as ErrorCode) : 'INTERNAL', message);
}
