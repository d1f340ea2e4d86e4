import type { Job } from 'bullmq';
import { LRUCache } from 'lru-cache';
import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import type { Row, RowPlace } from '../../shared/rows/row.ts';
import type { Runs } from '../../shared/runs/runs.ts';
import { HostWait } from '../hosts/hostWait.ts';
import type { LabelMatrices, PreparedLabels } from '../labels/labelMatrices.ts';
import type { Classify } from '../pipeline/classify.ts';
import { isNewerAndYoung, type TakenChunk } from './intake.ts';
import { isOutOfPatience } from './putOff.ts';

export interface LabelImagesOptions {
  runs: Runs;
  labelMatrices: LabelMatrices;
  /** An image of a run. */
  classify: Classify<ImageRef & { run: string }>;
  fingerprint: string;
  newerGraceMs: number;
  /** How long a host may refuse an image before that is an attempt. */
  hostPatienceMs: number;
  log: Logger;
}

/** An image that has no row yet, and where it stands in its run. */
export interface Todo {
  ref: ImageRef;
  place: RowPlace;
}

/** How images are labelled. */
export interface LabelHow {
  urgent: boolean;
  /** Calls back those that have not begun. */
  signal: AbortSignal;
  /** Told of each of those. */
  onCalledBack: (image: Todo) => void;
}

/** What became of an image. */
export interface Outcome {
  todo: Todo;
  /** Undefined where it was called back before it began. */
  row: Row | undefined;
  /** Whether another attempt may give a better row. */
  retry?: boolean;
  /** Why it was no attempt. */
  wait?: HostWait;
}

/** Makes the rows of a chunk's images. */
export function createLabelImages(options: LabelImagesOptions) {
  const { runs, labelMatrices, classify, fingerprint, newerGraceMs, hostPatienceMs, log } = options;
  const warnedRuns = new LRUCache<string, true>({ max: 10_000 });

  async function labelImages(
    job: Job,
    chunk: TakenChunk,
    images: readonly Todo[],
    how: LabelHow,
  ): Promise<Outcome[]> {
    if (images.length === 0) return [];
    const labels = await prepareLabels(job, chunk);
    return Promise.all(images.map((todo) => labelImage(job, chunk, todo, labels, how)));
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

  async function labelImage(
    job: Job,
    { run, generation }: TakenChunk,
    todo: Todo,
    labels: PreparedLabels | ClipfleetError,
    { urgent, signal, onCalledBack }: LabelHow,
  ): Promise<Outcome> {
    const { ref, place } = todo;
    const base = () => ({ id: ref.id, uri: ref.uri, generation, place, at: now() });
    try {
      if (labels instanceof ClipfleetError) throw labels;
      const predictions = await classify({ ...ref, run }, labels, urgent, signal);
      return { todo, row: { ...base(), status: 'classified', predictions, fingerprint } };
    } catch (thrown) {
      if (signal.aborted && thrown === signal.reason) {
        onCalledBack(todo);
        return { todo, row: undefined };
      }
      const error = asClipfleetError(thrown, 'INTERNAL');
      const { code, message, retry } = error;
      // Not the image's fault: no row, so that the job's next worker does it.
      if (code === 'SESSION_LOST') throw error;
      if (code === 'INTERNAL') log.error({ err: thrown, image: ref.id }, 'unexpected error');
      const row = { ...base(), status: 'failed', error: { code, message } } as const;
      const isWait = error instanceof HostWait && !(error.refused && isOutOfPatience(job, hostPatienceMs));
      return isWait ? { todo, row, retry, wait: error } : { todo, row, retry };
    }
  }

  async function warnOfTruncation(run: string, { truncated }: PreparedLabels): Promise<void> {
    if (truncated.length === 0 || warnedRuns.has(run)) return;
    warnedRuns.set(run, true);
    const named = truncated.slice(0, 10).map((label) => `'${label.slice(0, 80)}'`);
    const more = truncated.length > named.length ? ` and ${truncated.length - named.length} more` : '';
    await runs.warn(run, `LABEL_TRUNCATED: too long for the text tower, and cut: ${named.join(', ')}${more}`);
  }

  return labelImages;
}

let second = 0;
let formatted = '';

/** The time as rows have it, formatted once a second: that takes as long as encoding a row. */
function now(): string {
  const current = Math.floor(Date.now() / 1_000);
  if (current !== second) [second, formatted] = [current, new Date(1_000 * current).toISOString()];
  return formatted;
}
