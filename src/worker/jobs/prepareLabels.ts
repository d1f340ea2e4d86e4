import { LRUCache } from 'lru-cache';
import { ClipfleetError, type ErrorCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { noLabelSet } from '../../shared/rows/row.ts';
import type { RunControl } from '../../shared/runs/runControl.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import type { LabelMatrices, PreparedLabels } from '../labels/labelMatrices.ts';
import { type JobVerdict, postponedUntil } from '../verdicts/jobVerdict.ts';
import type { Delivery } from './delivery.ts';
import { postponedIfNewer, type TakenChunk } from './intake.ts';

export interface PrepareLabelsOptions {
  labelMatrices: Pick<LabelMatrices, 'get'>;
  runs: Pick<Runs, 'warn'>;
  control: Pick<RunControl, 'pause'>;
  newerGraceMs: number;
  log: Pick<Logger, 'warn'>;
}

/** The labels of a chunk, the error that all its images fail with, or what becomes of its job. */
export type LabelsOfChunk =
  | { kind: 'ready'; labels: PreparedLabels }
  /** The run wants vectors alone. */
  | { kind: 'none' }
  | { kind: 'unusable'; error: ClipfleetError }
  | Extract<JobVerdict, { kind: 'postponed' | 'parked' }>;

export type PrepareLabels = (delivery: Delivery, chunk: TakenChunk) => Promise<LabelsOfChunk>;

/** Labels named in one warning of those that were cut. */
const NAMED_MAX = 10;

/** How long jobs wait in place for a label matrix, in milliseconds, from when it was first asked for. */
const WAIT_MS = 250;
/** How long jobs stay away then: a lane full of jobs of one label set is not gone through more often. */
const AWAY_MS = 1_000;
/** A matrix that no job came back for is let go of after this. */
const KEPT_MS = 30_000;

/** The model cannot encode the prompts: no image can be labelled before somebody changes labels or model. */
const unencodable: readonly ErrorCode[] = [
  'LABEL_NOT_EMBEDDED',
  'INFERENCE_FAILED',
  'MODEL_INVALID',
  'MODEL_UNSUPPORTED',
];

/** How the preparation of a label set ended. */
type Prepared = { kind: 'ready'; labels: PreparedLabels } | { kind: 'failed'; error: unknown };

interface Preparation {
  /** Milliseconds of the clock of `performance`. */
  began: number;
  end: Promise<Prepared>;
  /** Its end, once it is there. */
  is?: Prepared;
}

/**
 * The labels of each job's run, before an image is fetched. Jobs whose label matrix takes its time hold no place meanwhile:
 * they are postponed, and those behind them go on. A run whose prompts the model cannot encode is paused with the reason.
 */
export function createPrepareLabels(options: PrepareLabelsOptions): PrepareLabels {
  const { labelMatrices, runs, control, newerGraceMs, log } = options;
  const warnedRuns = new LRUCache<string, true>({ max: 10_000 });
  /** What is being prepared, or was and waits for the next job. */
  const preparing = new LRUCache<string, Preparation>({
    ...{ max: 100, ttl: KEPT_MS, ttlAutopurge: true },
  });

  function begin(labelSet: string) {
    const end = labelMatrices.get(labelSet).then(
      (labels): Prepared => ({ kind: 'ready', labels }),
      (error): Prepared => ({ kind: 'failed', error }),
    );
    const preparation: Preparation = { began: performance.now(), end };
    preparing.set(labelSet, preparation);
    void end.then((prepared) => {
      preparation.is = prepared;
      // From now on it waits for a job, and no job for it.
      if (preparing.peek(labelSet) === preparation) preparing.set(labelSet, preparation);
    });
    return preparation;
  }

  /** Undefined where it takes longer than jobs wait in place. */
  async function prepare(labelSet: string): Promise<Prepared | undefined> {
    const preparation = preparing.get(labelSet) ?? begin(labelSet);
    const leftMs = WAIT_MS - (performance.now() - preparation.began);
    const prepared = preparation.is ?? (await within(preparation.end, leftMs));
    if (prepared && preparing.peek(labelSet) === preparation) preparing.delete(labelSet);
    return prepared;
  }

  async function pauseRun(run: string, { code, message }: ClipfleetError): Promise<void> {
    log.warn({ run, code, why: message }, 'run paused');
    await control.pause(run, `${code}: ${message}`).catch((error) => {
      // Of a run that is cancelled or gone, the job hears it when it is next taken.
      if (!(error instanceof ClipfleetError)) throw error;
    });
  }

  async function warnOfTruncation(run: string, { truncated }: PreparedLabels): Promise<void> {
    if (truncated.length === 0 || warnedRuns.has(run)) return;
    warnedRuns.set(run, true);
    const named = truncated.slice(0, NAMED_MAX).map((label) => `'${label.slice(0, 80)}'`);
    const more = truncated.length > named.length ? ` and ${truncated.length - named.length} more` : '';
    await runs.warn(run, `LABEL_TRUNCATED: too long for the text tower, and cut: ${named.join(', ')}${more}`);
  }

  return async (delivery, { run, labelSet }) => {
    if (labelSet === noLabelSet) return { kind: 'none' };
    const prepared = await prepare(labelSet);
    if (!prepared) return postponedUntil([AWAY_MS]);
    if (prepared.kind === 'ready') {
      await warnOfTruncation(run, prepared.labels);
      return prepared;
    }
    const { error } = prepared;
    if (!(error instanceof ClipfleetError) || error.code === 'SESSION_LOST') throw error;
    if (!unencodable.includes(error.code))
      return postponedIfNewer(error, delivery, newerGraceMs) ?? { kind: 'unusable', error };
    await pauseRun(run, error);
    return { kind: 'parked', run };
  };
}

/** What the promise resolves to, or undefined after `ms`. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  if (ms <= 0) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
