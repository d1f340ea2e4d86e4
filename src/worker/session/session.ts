import { startThread } from '../onnx/threadClient.ts';
import { createSessionHealth } from './sessionHealth.ts';
import type { SessionInfo, TextEmbeddings, TowersSpec } from './towers.ts';

/** What the session thread is asked. */
export type SessionRequest =
  | { kind: 'images'; pixels: Uint8Array; count: number }
  | { kind: 'texts'; prompts: string[] };

/** What the session thread says between its answers: how many images fit into memory together, when that changes. */
export interface SessionNotice {
  imagesFitting: number;
}

export interface Session extends SessionInfo {
  /** Unit embeddings, N × D, of N images as RGB u8 laid end to end. The pixels' buffer is moved, not copied, unless it is memory of the decoder. */
  embedImages(pixels: Uint8Array, count: number): Promise<Float32Array>;
  /**
   * Unit embeddings of prompts, in batches small enough that images waiting meanwhile are not held up.
   *
   * @param onBatch told of the prompts of each batch as it starts
   */
  embedTexts(prompts: readonly string[], onBatch?: (prompts: number) => void): Promise<TextEmbeddings>;
  /**
   * Calls the listener with the most images that fit into memory together, now if it is known and whenever it turns out to be
   * less. A larger batch is run in pieces.
   */
  onImagesFitting(listener: (images: number) => void): void;
  /** Rejects when the thread dies by itself, hangs, or its session is broken: the process has lost its purpose and should end. */
  died: Promise<never>;
  close(): Promise<void>;
}

export interface StartSessionOptions {
  /** How long one batch may take before the thread counts as hung, in milliseconds; by default a multiple of the first. */
  answerMaxMs?: number | undefined;
  /** Told of the most images that fit into memory together, whenever that turns out to be less. */
  onFitting?: (images: number) => void;
}

/** By default a batch may take as many times as long as the first one took, when all was made ready; and at least a minute. */
const ANSWER_TIMES = 20;
const ANSWER_MIN_MS = 60_000;

/** Prompts that go through the text tower in one run: some 50 ms of a base model on two cores. */
const TEXTS_A_RUN = 16;

/**
 * Starts the thread that holds the model's sessions. `session.run()` of onnxruntime-node blocks its thread for the
 * whole run; here that is a thread that holds no locks and no sockets.
 *
 * @throws MODEL_INVALID, MODEL_UNSUPPORTED, MODEL_SCALE_UNKNOWN from loading
 */
export async function startSession(
  spec: TowersSpec,
  { answerMaxMs, onFitting }: StartSessionOptions = {},
): Promise<Session> {
  const file = new URL('./sessionThread.js', import.meta.url);
  let imagesFitting: number | undefined;
  let tellFitting: ((images: number) => void) | undefined;
  const thread = startThread<SessionRequest, SessionInfo, SessionNotice>(
    'The session thread',
    file,
    spec,
    (notice) => {
      imagesFitting = notice.imagesFitting;
      onFitting?.(imagesFitting);
      tellFitting?.(imagesFitting);
    },
  );
  const info = await thread.ready;
  thread.limitAnswers(answerMaxMs ?? Math.max(ANSWER_MIN_MS, ANSWER_TIMES * info.firstBatchMs));
  const { width, height } = spec.preprocessing;
  const health = createSessionHealth({
    imageBytes: width * height * 3,
    isBlankFinite: info.isBlankFinite,
    embed: (pixels, count) => thread.ask({ kind: 'images', pixels, count }, [pixels.buffer as ArrayBuffer]),
  });
  const died = Promise.race([thread.died, health.broken]);
  // Whoever wants to know waits for it.
  died.catch(() => {});

  return {
    ...info,
    died,
    close: thread.close,
    embedImages: health.embedImages,

    async embedTexts(prompts, onBatch) {
      const embeddings = new Float32Array(prompts.length * info.dimensions);
      const truncated: number[] = [];
      for (let from = 0; from < prompts.length; from += TEXTS_A_RUN) {
        const piece = prompts.slice(from, from + TEXTS_A_RUN);
        onBatch?.(piece.length);
        const answer = await health.watch(() =>
          thread.ask<TextEmbeddings>({ kind: 'texts', prompts: piece }),
        );
        embeddings.set(answer.embeddings, from * info.dimensions);
        truncated.push(...answer.truncated.map((place) => from + place));
      }
      return { embeddings, truncated };
    },

    onImagesFitting(listener) {
      tellFitting = listener;
      if (imagesFitting !== undefined) listener(imagesFitting);
    },
  };
}
