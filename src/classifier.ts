/**
 * The classifier on its own: what a worker is made of, without Redis.
 *
 * `createClassifier` is the zero-shot pipeline; `openModel` and what is exported beside it are its parts, for whoever
 * goes by hand.
 */

import { LRUCache } from 'lru-cache';
import { type ImageInput, readImageInput } from './imageInput.ts';
import { type OpenedModel, type OpenModelOptions, openModel } from './openModel.ts';
import { ClipfleetError } from './shared/errors.ts';
import { defineLabelSet, type LabelSet, type LabelSetInput, labelSetId } from './shared/labels/labelSet.ts';
import { defaultOf } from './shared/options/config.ts';
import { nameLabels, type Prediction } from './shared/rows/prediction.ts';
import { createFetcher, type Fetcher } from './worker/fetch/fetch.ts';
import { encodeLabels } from './worker/labels/encodeLabels.ts';
import { openPipeline } from './worker/pipeline/pipeline.ts';
import { defaultPipelineSettings } from './worker/pipeline/pipelineSettings.ts';
import type { ScoredLabels } from './worker/score/scorer.ts';

export type { ImageInput } from './imageInput.ts';
export { type OpenedModel, type OpenModelOptions, openModel } from './openModel.ts';
export { ClipfleetError, type ErrorCode, errorTable } from './shared/errors.ts';
export {
  defineLabelSet,
  type LabelSet,
  type LabelSetInput,
  labelSetId,
  promptsOf,
} from './shared/labels/labelSet.ts';
export { namedTemplates } from './shared/labels/templates.ts';
export type { Prediction } from './shared/rows/prediction.ts';
export type { Pixels } from './worker/decode/decode.ts';
export { buildLabelMatrix, type LabelMatrix } from './worker/labels/labelMatrix.ts';
export { rank, type Scale, type Scoring } from './worker/score/rank.ts';

export interface ClassifierOptions extends OpenModelOptions {
  /** Read URLs that lead to private or loopback addresses too. */
  allowPrivateAddresses?: boolean;
  /** User-Agent of requests for images and to the Hub; `clipfleet/VERSION` when absent. */
  userAgent?: string;
}

export interface ClassifyOptions extends Omit<LabelSetInput, 'labels' | 'template' | 'templates'> {
  /** Prompt with `{}` where the label goes; of several, a label's embeddings are averaged. */
  hypothesisTemplate?: string | readonly string[];
}

export interface Classifier {
  readonly model: OpenedModel;
  /** The labels for one image, best first; for several images, a list for each, in their order. */
  classify(
    image: ImageInput,
    candidateLabels: LabelSetInput['labels'],
    options?: ClassifyOptions,
  ): Promise<Prediction[]>;
  classify(
    images: readonly ImageInput[],
    candidateLabels: LabelSetInput['labels'],
    options?: ClassifyOptions,
  ): Promise<Prediction[][]>;
  /** Ends its threads and processes; once more does nothing. */
  close(): Promise<void>;
}

/** Label sets kept encoded: those used last. */
const LABEL_SETS_MAX = 100;

/**
 * The zero-shot image classification pipeline, with the scores of Python's.
 *
 * Labels are encoded once, however many images they are asked for; images are decoded beside the session and go through
 * it in batches. Rejects with a ClipfleetError whose code says what went wrong with which image.
 *
 * Decoding runs in child processes, started when the first images come. They end with this process, and do not keep it running.
 */
export async function createClassifier(options: ClassifierOptions): Promise<Classifier> {
  const model = await openModel(options);
  const bytesMax = options.imageBytesMax ?? defaultOf('imageBytesMax');
  const fetcher = openFetcher(options, bytesMax);
  const { batchSize } = model.settings;
  const pipeline = openPipeline<ImageInput>(
    model,
    {
      async fetchImage(image, signal) {
        const read = await readImageInput(image, bytesMax);
        return 'ref' in read ? fetcher.fetchImage(read.ref, signal) : { bytes: read };
      },
      openDecoders: () => model.decoders,
    },
    model.settings,
    { onImagesFitting: (fitting) => warnOfBatchSize(batchSize, fitting) },
  );
  const prepared = new LRUCache<string, Promise<ScoredLabels>>({ max: LABEL_SETS_MAX });

  function prepare(labelSet: LabelSet): Promise<ScoredLabels> {
    const id = labelSetId(labelSet);
    const encode = async () => {
      const { matrix, truncated } = await encodeLabels(model.session.embedTexts, labelSet);
      if (truncated.length > 0) warnOfTruncation(truncated.map((place) => labelSet.labels[place]!.label));
      return { labelSet, matrix };
    };
    const labels = prepared.get(id) ?? encode();
    prepared.set(id, labels);
    labels.catch(() => prepared.delete(id));
    return labels;
  }

  async function classify(
    images: ImageInput | readonly ImageInput[],
    labels: LabelSetInput['labels'],
    how: ClassifyOptions = {},
  ) {
    if (closed) throw new ClipfleetError('USAGE', 'The classifier is closed: make another.');
    const { hypothesisTemplate, ...scoring } = how;
    const templates = hypothesisTemplate === undefined ? undefined : [hypothesisTemplate].flat();
    const labelSet = defineLabelSet({ ...scoring, labels, ...(templates && { templates }) });
    const encoded = await prepare(labelSet);
    const classifyNamed = async (image: ImageInput) =>
      nameLabels(await pipeline.rank(await pipeline.embeddingOf(image), encoded), labelSet.labels);
    return isSeveral(images) ? Promise.all(images.map(classifyNamed)) : classifyNamed(images);
  }

  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    await fetcher.close();
    await pipeline.close();
    await model.close();
  }

  return {
    model,
    classify: classify as Classifier['classify'],
    // Whoever closes it again waits for the same end.
    close: () => (closed ??= close()),
  };
}

function isSeveral(images: ImageInput | readonly ImageInput[]): images is readonly ImageInput[] {
  return Array.isArray(images);
}

function warnOfTruncation(labels: readonly string[]): void {
  const cut = labels.slice(0, 3).map((label) => `'${label.slice(0, 80)}'`);
  process.emitWarning(`Too long for the text tower, and cut: ${cut.join(', ')}`, { code: 'LABEL_TRUNCATED' });
}

function warnOfBatchSize(batchSize: number, fitting: number): void {
  const message = `A batch of images did not fit into memory: set batchSize to ${fitting}, not ${batchSize}.`;
  process.emitWarning(message, { code: 'BATCH_TOO_LARGE' });
}

function openFetcher(options: ClassifierOptions, bytesMax: number): Fetcher {
  const defaults = defaultPipelineSettings();
  return createFetcher({
    bytesMax,
    timeoutMs: options.fetchTimeoutMs ?? defaults.fetchTimeoutMs,
    redirectsMax: defaults.redirectsMax,
    allowPrivateAddresses: options.allowPrivateAddresses ?? defaults.allowPrivateAddresses,
    userAgent: options.userAgent ?? defaults.userAgent,
  });
}
