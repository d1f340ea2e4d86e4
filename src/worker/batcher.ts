import { ClipfleetError } from '../shared/errors.ts';

export interface BatcherOptions {
  /** Most images in one batch. */
  batchSize: number;
  /** Bytes of one image's pixels; every image of a model has the same. */
  imageBytes: number;
  /** Runs `count` images laid end to end; resolves to `count` embeddings laid end to end. */
  run: (pixels: Uint8Array, count: number) => Promise<Float32Array>;
  /** Told of each batch as it starts. */
  onBatch?: (count: number) => void;
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

interface Waiting {
  pixels: Uint8Array;
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
export function createBatcher({ batchSize, imageBytes, run, onBatch }: BatcherOptions): Batcher {
  const urgentWaiting: Waiting[] = [];
  const waiting: Waiting[] = [];
  let batchesInSession = 0;
  let largest = batchSize;

  function pump(): void {
    for (;;) {
      const count = urgentWaiting.length + waiting.length;
      const idle = batchesInSession === 0 && count > 0;
      const fullBehindRunning = batchesInSession === 1 && count >= largest;
      if (!idle && !fullBehindRunning) return;
      const batch = urgentWaiting.splice(0, largest);
      batch.push(...waiting.splice(0, largest - batch.length));
      batchesInSession++;
      void runBatch(batch);
    }
  }

  /** Settles every image of the batch, whatever happens: a caller left waiting would hold its job for ever. */
  async function runBatch(batch: Waiting[]): Promise<void> {
    onBatch?.(batch.length);
    try {
      const embeddings = await run(layEndToEnd(batch), batch.length);
      const dimensions = embeddings.length / batch.length;
      batch.forEach(({ resolve }, i) => {
        resolve(embeddings.slice(i * dimensions, (i + 1) * dimensions));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      batchesInSession--;
      pump();
    }
  }

  function layEndToEnd(batch: Waiting[]): Uint8Array {
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
        (urgent ? urgentWaiting : waiting).push({ pixels, resolve, reject });
        pump();
      });
    },
  };
}
