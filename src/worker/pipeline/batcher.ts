import { ClipfleetError } from '../../shared/errors.ts';
import type { StageTimes } from './stageTimes.ts';

export interface BatcherOptions {
  /** Most images in one batch. */
  batchSize: number;
  /** Bytes of one image's pixels; every image of a model has the same. */
  imageBytes: number;
  /** Runs `count` images laid end to end; resolves to `count` embeddings laid end to end. */
  run: (pixels: Uint8Array, count: number) => Promise<Float32Array>;
  /** Told of each batch as it is given to the session. */
  onBatch?: (count: number) => void;
  /** Measures how long images wait for their batch's turn in the session, and how long the batch takes then. */
  times?: Pick<StageTimes, 'begin' | 'end'>;
}

export interface Batcher {
  /**
   * The embedding of one image, from whatever batch it goes through in. An urgent image goes before all others that
   * wait. Rejects with what `run` rejected its batch with.
   */
  embedImage(pixels: Uint8Array, urgent?: boolean): Promise<Float32Array>;
  /** From now on no batch has more images than this. */
  limitTo(images: number): void;
}

/** Images that go through the session together; it takes one batch after the other. */
interface Batch {
  images: WaitingImage[];
  /** When its turn came. */
  begunAt?: number;
}

interface WaitingImage {
  pixels: Uint8Array;
  waitsSince: number;
  resolve: (embedding: Float32Array) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers images from any jobs, runs and label sets into batches for the one session.
 *
 * There is no clock. The state is the number of batches the session has, and the rule is:
 *
 *   0 (idle)     whatever waits becomes a batch at once, even a single image;
 *   1 (running)  a full batch is queued behind it, so that the session never waits for the main thread; less than a
 *                full one goes on gathering, because the running batch gives it time to;
 *   2 (queued)   everything waits.
 *
 * A wait timer would only ever delay the idle case. What fills batches is the number of images in flight.
 */
export function createBatcher({ batchSize, imageBytes, run, onBatch, times }: BatcherOptions): Batcher {
  const urgentWaiting: WaitingImage[] = [];
  const waiting: WaitingImage[] = [];
  const inSession: Batch[] = [];
  let largest = batchSize;

  function pump(): void {
    for (;;) {
      const count = urgentWaiting.length + waiting.length;
      const idle = inSession.length === 0 && count > 0;
      const fullBehindRunning = inSession.length === 1 && count >= largest;
      if (!idle && !fullBehindRunning) return;
      const images = urgentWaiting.splice(0, largest);
      images.push(...waiting.splice(0, largest - images.length));
      inSession.push({ images });
      void runBatch(inSession.at(-1)!);
    }
  }

  /** Settles every image of the batch, whatever happens: a caller left waiting would hold its job for ever. */
  async function runBatch(batch: Batch): Promise<void> {
    const { images } = batch;
    onBatch?.(images.length);
    if (inSession.length === 1) beginTurn(batch);
    try {
      const embeddings = await run(layEndToEnd(images), images.length);
      const dimensions = embeddings.length / images.length;
      images.forEach(({ resolve }, i) => {
        resolve(embeddings.slice(i * dimensions, (i + 1) * dimensions));
      });
    } catch (error) {
      for (const { reject } of images) reject(error);
    } finally {
      beginTurn(batch);
      times?.end('inference', batch.begunAt!, images.length);
      inSession.splice(inSession.indexOf(batch), 1);
      if (inSession[0]) beginTurn(inSession[0]);
      pump();
    }
  }

  /** Once a batch; one that failed before its turn has it at its end. */
  function beginTurn(batch: Batch): void {
    if (batch.begunAt !== undefined) return;
    for (const { waitsSince } of batch.images) times?.end('wait', waitsSince);
    batch.begunAt = times?.begin('inference', batch.images.length) ?? 0;
  }

  function layEndToEnd(batch: WaitingImage[]): Uint8Array {
    const pixels = new Uint8Array(batch.length * imageBytes);
    batch.forEach((image, i) => {
      pixels.set(image.pixels, i * imageBytes);
    });
    return pixels;
  }

  return {
    limitTo(images) {
      largest = Math.min(largest, images);
    },

    embedImage(pixels, urgent = false) {
      if (pixels.length !== imageBytes) {
        const message = `Expected ${imageBytes} bytes of pixels, got ${pixels.length}. This is a bug.`;
        return Promise.reject(new ClipfleetError('INTERNAL', message));
      }
      return new Promise((resolve, reject) => {
        const waitsSince = times?.begin('wait') ?? 0;
        (urgent ? urgentWaiting : waiting).push({ pixels, waitsSince, resolve, reject });
        pump();
      });
    },
  };
}
