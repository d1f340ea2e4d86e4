import { Worker } from 'node:worker_threads';
import { asClipfleetError, ClipfleetError, type ErrorCode } from '../shared/errors.ts';
import type { Scale } from './rank.ts';
import type { TowersSpec } from './towers.ts';

/** What the session thread says of itself once it can take work. */
export interface SessionInfo {
  /** D, the length of an embedding. */
  dimensions: number;
  /** Solved from the joint graph, when the model's files did not give it. */
  solvedScale: Scale | undefined;
  /** Where it runs: `cpu`, `cuda`, `cuda:1`. */
  device: string;
  /** Why `auto` did not take the GPU. */
  deviceFallback: string | undefined;
  /** What the user should know though the session is ready. */
  warning: string | undefined;
}

export interface TextEmbeddings {
  /** N × D, unit rows. */
  embeddings: Float32Array;
  /** Places of the prompts that had to be cut to fit the text tower. */
  truncated: number[];
}

/** To the thread: one request a message. */
export type SessionRequest = { id: number } & (
  | { kind: 'images'; pixels: Uint8Array; count: number }
  | { kind: 'texts'; prompts: string[] }
);

/** From the thread: `ready` or `broken` once, then one answer to each request, and how many images fit when that changes. */
export type SessionAnswer =
  | { ready: SessionInfo; imagesFitting: number | undefined }
  | { broken: { code: ErrorCode; message: string } }
  | { imagesFitting: number }
  | { id: number; answer: Float32Array | TextEmbeddings }
  | { id: number; error: { code: ErrorCode; message: string } };

export interface Session extends SessionInfo {
  /** Unit embeddings, N × D, of N images as RGB u8 laid end to end. The pixels' buffer is moved, not copied. */
  embedImages(pixels: Uint8Array, count: number): Promise<Float32Array>;
  /** Unit embeddings of prompts, in pieces small enough that images waiting meanwhile are not held up. */
  embedTexts(prompts: readonly string[]): Promise<TextEmbeddings>;
  /**
   * Calls the listener with the most images that fit into memory together, now if it is known and whenever it turns out to be
   * less. A larger batch is run in pieces.
   */
  onImagesFitting(listener: (images: number) => void): void;
  /** Rejects when the thread dies by itself: the process has lost its purpose and should end. */
  died: Promise<never>;
  close(): Promise<void>;
}

/** Prompts that go through the text tower in one run: some 50 ms of a base model on two cores. */
const TEXTS_A_RUN = 16;

/**
 * Starts the thread that holds the model's sessions. `session.run()` of onnxruntime-node blocks its thread for the
 * whole run; here that is a thread that holds no locks and no sockets.
 *
 * @throws DEVICE_UNAVAILABLE, MODEL_INVALID, MODEL_UNSUPPORTED, MODEL_SCALE_UNKNOWN from loading
 */
export async function startSession(spec: TowersSpec): Promise<Session> {
  const thread = new Worker(new URL('./sessionThread.js', import.meta.url), {
    workerData: spec,
    // The process may have been started with flags that a thread refuses, such as --input-type.
    execArgv: [],
  });
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let nextId = 0;
  let closing = false;
  let lost: Error | undefined;
  let tellFitting: ((images: number) => void) | undefined;

  const died = new Promise<never>((_, reject) => {
    thread.once('error', (error) => reject(asClipfleetError(error, 'SESSION_LOST')));
    thread.once('exit', (code) => {
      if (!closing) reject(new ClipfleetError('SESSION_LOST', `The session thread ended with code ${code}.`));
    });
  });
  died.catch((error: Error) => {
    lost = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  });

  const { ready: info, ...known } = await Promise.race([firstMessage(thread), died]);
  let { imagesFitting } = known;
  thread.on('message', (message: SessionAnswer) => {
    if (!('ready' in message) && 'imagesFitting' in message) {
      imagesFitting = message.imagesFitting;
      tellFitting?.(imagesFitting);
    }
    if (!('id' in message)) return;
    const request = waiting.get(message.id);
    waiting.delete(message.id);
    if ('answer' in message) request?.resolve(message.answer as never);
    else request?.reject(new ClipfleetError(message.error.code, message.error.message));
  });

  function ask<T>(request: SessionRequest, transfer: ArrayBuffer[] = []): Promise<T> {
    if (lost) return Promise.reject(lost);
    return new Promise<T>((resolve, reject) => {
      waiting.set(request.id, { resolve, reject });
      thread.postMessage(request, transfer);
    });
  }

  return {
    ...info,
    died,
    embedImages: (pixels, count) =>
      ask({ id: nextId++, kind: 'images', pixels, count }, [pixels.buffer as ArrayBuffer]),

    async embedTexts(prompts) {
      const embeddings = new Float32Array(prompts.length * info.dimensions);
      const truncated: number[] = [];
      for (let from = 0; from < prompts.length; from += TEXTS_A_RUN) {
        const piece = prompts.slice(from, from + TEXTS_A_RUN);
        const answer = await ask<TextEmbeddings>({ id: nextId++, kind: 'texts', prompts: piece });
        embeddings.set(answer.embeddings, from * info.dimensions);
        truncated.push(...answer.truncated.map((place) => from + place));
      }
      return { embeddings, truncated };
    },

    onImagesFitting(listener) {
      tellFitting = listener;
      if (imagesFitting !== undefined) listener(imagesFitting);
    },

    async close() {
      closing = true;
      lost = new ClipfleetError('SESSION_LOST', 'The session was closed while it was asked.');
      for (const { reject } of waiting.values()) reject(lost);
      waiting.clear();
      await thread.terminate();
    },
  };
}

function firstMessage(thread: Worker): Promise<Extract<SessionAnswer, { ready: SessionInfo }>> {
  return new Promise((resolve, reject) => {
    thread.once('message', (message: SessionAnswer) => {
      if ('ready' in message) resolve(message);
      else if ('broken' in message) reject(new ClipfleetError(message.broken.code, message.broken.message));
    });
  });
}
