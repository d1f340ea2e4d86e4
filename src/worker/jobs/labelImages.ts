import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import type { RankedLabel } from '../../shared/rows/prediction.ts';
import { type RowPlace, rowError } from '../../shared/rows/row.ts';
import type { VectorSource } from '../../shared/runs/run.ts';
import { HostWait } from '../hosts/hostWait.ts';
import type { PreparedLabels } from '../labels/labelMatrices.ts';
import type { ImageOutcome } from '../verdicts/imageOutcome.ts';
import { isOutOfPatience } from '../verdicts/jobVerdict.ts';

export interface LabelImagesOptions {
  /**
   * One image of a run from its ref to its unit embedding and its ranked labels, none where the run has no labels; its uri where the ref names its vector. Rejects with the signal's reason where the signal was aborted before
   * the image began.
   */
  classify: (
    ref: ImageRef & { run: string },
    labels: PreparedLabels | undefined,
    how: { urgent: boolean; signal: AbortSignal; relabels?: VectorSource },
  ) => Promise<{ uri?: string; embedding: Float32Array; predictions: RankedLabel[] }>;
  fingerprint: string;
  /** How long a host may refuse an image before that is an attempt. */
  hostPatienceMs: number;
  log: Pick<Logger, 'error'>;
}

/** An image that has no row yet, and where it stands in its run. */
export interface Todo {
  ref: ImageRef;
  place: RowPlace;
}

/** What all images of one delivery have in common. */
export interface LabelHow {
  run: string;
  /** The run whose vectors stand for the images; undefined where they are read themselves. */
  relabels?: VectorSource | undefined;
  generation: number;
  urgent: boolean;
  /** Since when hosts have refused images of the job, in epoch milliseconds; 0 when they have not. */
  refusedSince: number;
  /** Calls back images that have not begun. */
  signal: AbortSignal;
  /** Told of each of those. */
  onCalledBack: (image: Todo) => void;
}

export type LabelImages = (
  images: readonly Todo[],
  labels: PreparedLabels | ClipfleetError | undefined,
  how: LabelHow,
) => Promise<ImageOutcome[]>;

/**
 * Makes what becomes of each image, in their order: with labels that are an error, all fail with it; without labels, they get their embedding alone. Rejects only where it is not
 * the image's doing: SESSION_LOST.
 */
export function createLabelImages(options: LabelImagesOptions): LabelImages {
  const { classify, fingerprint, hostPatienceMs, log } = options;

  async function labelImage(
    todo: Todo,
    labels: PreparedLabels | ClipfleetError | undefined,
    { run, relabels, generation, urgent, refusedSince, signal, onCalledBack }: LabelHow,
  ): Promise<ImageOutcome> {
    const { ref, place } = todo;
    const base = () => ({
      id: ref.id,
      uri: ref.uri,
      generation,
      place,
      at: Math.floor(Date.now() / 1_000),
    });
    try {
      if (labels instanceof ClipfleetError) throw labels;
      const how = { urgent, signal, ...(relabels && { relabels }) };
      const { uri = ref.uri, embedding, predictions } = await classify({ ...ref, run }, labels, how);
      const row = { ...base(), uri, status: 'classified', predictions, fingerprint } as const;
      return { kind: 'classified', row, embedding };
    } catch (thrown) {
      if (signal.aborted && thrown === signal.reason) {
        onCalledBack(todo);
        return { kind: 'calledBack' };
      }
      const error = asClipfleetError(thrown, 'INTERNAL');
      const { code, retry } = error;
      // Not the image's fault: no row, so that the job's next worker does it.
      if (code === 'SESSION_LOST') throw error;
      if (code === 'INTERNAL') log.error({ err: thrown, image: ref.id }, 'unexpected error');
      if (error instanceof HostWait) {
        const { waitMs, refused } = error;
        if (!refused || !isOutOfPatience(refusedSince, Date.now(), hostPatienceMs))
          return { kind: 'wait', waitMs, refused };
      }
      const row = { ...base(), status: 'failed', error: rowError(error) } as const;
      return { kind: retry ? 'again' : 'failed', row };
    }
  }

  return (images, labels, how) => Promise.all(images.map((todo) => labelImage(todo, labels, how)));
}
