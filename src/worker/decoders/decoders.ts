import { fileURLToPath } from 'node:url';
import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';
import type { ImageSource } from '../../shared/refs/imageSource.ts';
import type { Pixels } from '../decode/decode.ts';
import { startThread } from '../onnx/threadClient.ts';
import type { DecoderHost } from './decodePorts.ts';
import type { DecodeTask } from './decoderCrew.ts';
import { type DecodersOptions, roomOf, setupOf } from './decodersOptions.ts';
import type { DecoderCommand, DecoderGone, ThreadData } from './decoderThread.ts';
import { createDecodeSchedule } from './decodeSchedule.ts';

export interface DecodeHow {
  /** Before those that wait and are not. */
  urgent?: boolean;
  /** Calls the image back, unless a decoder has it. */
  signal?: AbortSignal | undefined;
  /** The file's SHA-256, base64, beside the pixels. */
  digest?: boolean;
}

/** What became of an image. */
export type DecodeVerdict =
  | { kind: 'pixels'; pixels: Pixels; digest?: string }
  /** As the cache has it: little-endian 32-bit floats. */
  | { kind: 'embedded'; vector: Uint8Array }
  | { kind: 'failed'; error: ClipfleetError }
  | { kind: 'calledBack' };

/** The pixels, for whoever calls no image back. @throws the image's error */
export function pixelsOf(verdict: DecodeVerdict): Pixels {
  if (verdict.kind === 'pixels') return verdict.pixels;
  if (verdict.kind === 'failed') throw verdict.error;
  throw new ClipfleetError('INTERNAL', `Expected pixels, but the image was ${verdict.kind}. This is a bug.`);
}

/** The stage that makes pixels of image files, in child processes that are started when there is something to do. */
export interface Decoders {
  /**
   * Pixels of the model's size, in memory of their own, or why there are none. Rejects with SESSION_LOST where the stage
   * itself is gone.
   */
  decode(source: ImageSource, how?: DecodeHow): Promise<DecodeVerdict>;
  /**
   * Rejects when no decoder can be started any more: the process has lost its purpose and should end. Being closed is no
   * such loss.
   */
  died: Promise<never>;
  /** Ends the decoders at once; images that are in them reject with SESSION_LOST. */
  close(): Promise<void>;
}

interface Pending {
  resolve: (verdict: DecodeVerdict) => void;
  reject: (error: ClipfleetError) => void;
  letGoOfSignal: () => void;
}

export type { DecodersOptions, ImageLimits } from './decodersOptions.ts';

/** Opens the stage. Nothing is started before the first image, and the process is held only while there are images. */
export function openDecoders(options: DecodersOptions): Decoders {
  const setup = setupOf(options);
  const pending = new Map<DecodeTask, Pending>();
  let nextId = 0;
  let stage: ReturnType<typeof startStage> | undefined;
  let isClosed = false;
  let lose: (error: ClipfleetError) => void = () => {};
  const died = new Promise<never>((_, reject) => {
    lose = (error) => {
      reject(error);
      refuse(error);
    };
  });
  died.catch(() => {});

  /** No image comes to a decoder any more, and whoever waits for one is told why. */
  function refuse(error: ClipfleetError): void {
    stage?.schedule.stop();
    for (const [task, { reject }] of pending) settle(task, () => reject(error));
  }

  function startStage() {
    const thread = startThread<DecoderCommand, undefined, DecoderGone>(
      'The decoding thread',
      new URL('./decoderThread.js', import.meta.url),
      {
        setup,
        program: fileURLToPath(options.program ?? new URL('./decoderChild.js', import.meta.url)),
      } satisfies ThreadData,
      ({ gone }) => schedule.gone(gone),
    );
    thread.died.catch((error) => lose(asClipfleetError(error, 'SESSION_LOST')));
    // A thread that is lost answers nothing; `lose` has told everybody.
    const ask = <Answer>(command: DecoderCommand) =>
      thread.ask<Answer>(command).catch(() => new Promise<never>(() => {}));
    const host: DecoderHost = {
      start: (decoder) => ask({ kind: 'start', decoder }),
      decode: (decoder, request, bytes) => ask({ kind: 'decode', decoder, request, ...(bytes && { bytes }) }),
      forget: (decoder, id) => void ask({ kind: 'forget', decoder, id }),
      end: (decoder) => void ask({ kind: 'end', decoder }),
    };
    const schedule = createDecodeSchedule(
      host,
      { room: roomOf(options), limits: setup.limits },
      {
        onBegin: options.onBegin ?? (() => () => {}),
        onEnded: options.onEnded ?? (() => {}),
        onPixels(task, { reply, pixels: data }) {
          if ('embedded' in reply) settle(task, ({ resolve }) => resolve({ kind: 'embedded', vector: data }));
          if (!('width' in reply)) return;
          const { width, height, digest } = reply;
          const verdict = {
            kind: 'pixels',
            pixels: { data, width, height },
            ...(digest && { digest }),
          } as const;
          settle(task, ({ resolve }) => resolve(verdict));
        },
        onFailed: (task, error) => settle(task, ({ resolve }) => resolve({ kind: 'failed', error })),
        onLost: lose,
      },
    );
    return { thread, schedule };
  }

  function settle(task: DecodeTask, how: (pending: Pending) => void): void {
    const waiting = pending.get(task);
    if (!waiting) return;
    pending.delete(task);
    if (pending.size === 0) stage?.thread.hold(false);
    waiting.letGoOfSignal();
    how(waiting);
  }

  function callBack(task: DecodeTask): void {
    if (stage?.schedule.takeBack(task)) settle(task, ({ resolve }) => resolve({ kind: 'calledBack' }));
  }

  return {
    died,
    decode(source, { urgent = false, signal, digest = false } = {}) {
      if (isClosed) return Promise.reject(closedError());
      if (signal?.aborted) return Promise.resolve({ kind: 'calledBack' });
      stage ??= startStage();
      const [file, bytes] = 'file' in source ? [source.file, undefined] : [undefined, source.bytes];
      const task = { id: nextId++, urgent, digest, file, bytes, pixels: undefined, deaths: 0 };
      return new Promise((resolve, reject) => {
        const whenAborted = () => callBack(task);
        signal?.addEventListener('abort', whenAborted);
        const letGoOfSignal = () => signal?.removeEventListener('abort', whenAborted);
        if (pending.size === 0) stage!.thread.hold(true);
        pending.set(task, { resolve, reject, letGoOfSignal });
        stage!.schedule.add(task);
      });
    },
    async close() {
      isClosed = true;
      refuse(closedError());
      if (!stage) return;
      stage.thread.hold(true);
      // Where the thread is gone, its decoders are.
      await stage.thread.ask({ kind: 'endAll' }).catch(() => {});
      await stage.thread.close();
    },
  };
}

function closedError(): ClipfleetError {
  return new ClipfleetError('SESSION_LOST', 'The decoders were closed while they were asked.');
}
