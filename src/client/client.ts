import type { RunProgress } from '../producer/runs/runProgress.ts';
import type { LaneKind } from '../shared/fleet/lanes.ts';
import type { LabelSetInput } from '../shared/labels/labelSet.ts';
import type { ImageRef } from '../shared/refs/imageRef.ts';
import type { Prediction } from '../shared/rows/prediction.ts';
import type { PublicRow } from '../shared/rows/row.ts';

/** What every call takes. */
export interface CallOptions {
  /** Ends the waiting: the call rejects with the signal's reason at once. What it asked for may still be done. */
  signal?: AbortSignal;
}

export interface ClassifyCallOptions extends CallOptions {
  /** The identity `name@revision:dtype` of a model, or its name; the only model that workers serve now when absent. */
  model?: string;
  /** Prompt with `{}` where the label goes. */
  template?: string;
  /** How long to wait for the answer, in milliseconds; 60,000 when absent. */
  timeoutMs?: number;
}

export interface NewRunOptions extends CallOptions {
  /** Labels, or a label set with templates, thresholds, score function. */
  labels: readonly string[] | LabelSetInput;
  /** The identity `name@revision:dtype` of a model, or its name; the only model that workers serve now when absent. */
  model?: string;
  /** A new id when absent; that of an earlier run continues it. */
  run?: string;
  /** `interactive` overtakes `bulk`, which is the default. */
  lane?: LaneKind;
  /** Share of failed images, 0 to 1, above which the run is paused once 100 are done. */
  maxFailureRate?: number;
  /** What the images come from, in a few words for people. */
  source?: string;
}

export interface AddImagesOptions extends CallOptions {
  /** Seal the run after the last image. */
  seal?: boolean;
}

export interface ResultsOptions extends CallOptions {
  /** Go on with rows as they come, until the run has ended. One that was replaced by a retry comes again. */
  follow?: boolean;
}

export interface EndOptions extends CallOptions {
  /** Told where the run is, whenever that has changed. */
  onProgress?: (progress: RunProgress) => void;
}

/** An image ref, or a uri, which is then its id too. */
export type AddedImage = ImageRef | string;

/** A run, as a client has it. All calls reject with a `ClipfleetError`, whose `code` is one of docs/errors.md. */
export interface ClientRun {
  readonly id: string;
  /**
   * Adds images as fast as the run takes them, and resolves to how many. Images that the run has already are passed over, so that a
   * call that broke off can be made again.
   *
   * @throws RUN_SEALED, RUN_CANCELLED, and what the images themselves throw
   */
  add(images: AsyncIterable<AddedImage> | Iterable<AddedImage>, options?: AddImagesOptions): Promise<number>;
  /** Says that nothing more comes: the run is complete when all its images have rows. */
  seal(options?: CallOptions): Promise<void>;
  /** Where the run is now. */
  progress(options?: CallOptions): Promise<RunProgress>;
  /** Where the run is, whenever that has changed, until it has ended. */
  events(options?: CallOptions): AsyncGenerator<RunProgress, void, void>;
  /** Resolves when the run is complete or cancelled: `complete` says which. */
  ended(options?: EndOptions): Promise<RunProgress>;
  /** The rows there are so far, each once. */
  results(options?: ResultsOptions): AsyncGenerator<PublicRow, void, void>;
  /** The row of one image; undefined while it has none. */
  row(id: string, options?: CallOptions): Promise<PublicRow | undefined>;
  pause(options?: CallOptions): Promise<void>;
  resume(options?: CallOptions): Promise<void>;
  /** Tries the failed images again. */
  retry(options?: CallOptions): Promise<void>;
  /** Ends the run: images without a row are skipped. */
  cancel(options?: CallOptions): Promise<void>;
  /** Removes the run and its rows, once it has ended. */
  remove(options?: CallOptions): Promise<void>;
}

/** A service's way to a fleet, over its Redis or over a gateway. To be closed, or declared by `await using`. */
export interface Client extends AsyncDisposable {
  /**
   * The labels of one image, best first, asked for now: it overtakes bulk runs.
   *
   * @param image its bytes, or its http(s), s3 or data URL; over Redis also a path below a worker's root
   * @throws the code that its row would have (`IMAGE_NOT_FOUND`), MODEL_NOT_FOUND, LABEL_SET_INVALID, ANSWER_TIMEOUT, QUEUE_FULL
   */
  classify(
    image: Uint8Array | Blob | URL | string,
    labels: readonly string[],
    options?: ClassifyCallOptions,
  ): Promise<Prediction[]>;
  /** Opens a run. @throws MODEL_NOT_FOUND, LABEL_SET_INVALID, RUN_MISMATCH, RUN_CANCELLED */
  openRun(options: NewRunOptions): Promise<ClientRun>;
  /** A run that is there. Its calls reject with RUN_UNKNOWN where it is not. */
  run(id: string): ClientRun;
  close(): Promise<void>;
}
