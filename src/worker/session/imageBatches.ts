import { joinVectors } from '../onnx/vectors.ts';

export interface ImageBatchesOptions {
  /** Bytes of one image's pixels. */
  imageBytes: number;
  /** Batch sizes the device shall see, smallest first; undefined where it takes any. */
  shapes: readonly number[] | undefined;
  /** Runs `count` images laid end to end; resolves to `count` embeddings laid end to end. */
  run: (pixels: Uint8Array, count: number) => Promise<Float32Array>;
}

export interface ImageBatches {
  /** Embeddings of `count` images, in as many runs as it takes. Rejects with what a run failed with. */
  embed(pixels: Uint8Array, count: number): Promise<Float32Array>;
  /** Most images that fit into memory together, once more did not. */
  fitting(): number | undefined;
}

/**
 * What onnxruntime, its providers and their libraries say when there is no memory: the arenas of onnxruntime, C++, CUDA, cuBLAS
 * and cuDNN, Direct3D (8007000E), Vulkan and Dawn, and V8 for the tensors it makes itself.
 */
const outOfMemory =
  /failed to allocate memory|bad_alloc|out[ _-]of[ _-](device[ _-]|host[ _-])?memory|ALLOC_FAILED|BFCArena|not enough memory|8007000E|allocation failed/i;

export function isOutOfMemory(error: unknown): boolean {
  return outOfMemory.test(String((error as Error | null)?.message ?? error));
}

/**
 * Runs batches in sizes that the device plans for and that fit its memory. A batch that does not fit is halved and tried
 * again, and the size is remembered: the next one is not tried in vain. One image that does not fit fails.
 */
export function createImageBatches({ imageBytes, shapes, run }: ImageBatchesOptions): ImageBatches {
  let limit = shapes?.at(-1) ?? Number.POSITIVE_INFINITY;
  let fitting: number | undefined;

  /** Pads with the last image: 8-bit graphs scale by the extremes of the batch, which blank ones would move. */
  async function runPadded(pixels: Uint8Array, count: number): Promise<Float32Array> {
    const size = paddedSize(count);
    if (size === count) return run(pixels, count);
    const padded = new Uint8Array(size * imageBytes);
    padded.set(pixels);
    const last = pixels.subarray((count - 1) * imageBytes);
    for (let image = count; image < size; image++) padded.set(last, image * imageBytes);
    const rows = await run(padded, size);
    return rows.slice(0, (rows.length / size) * count);
  }

  const paddedSize = (count: number) => shapes?.find((shape) => shape >= count) ?? count;

  function smallerThan(count: number): number {
    const size = paddedSize(count);
    return shapes?.findLast((shape) => shape < size) ?? Math.floor(size / 2);
  }

  /** Runs as many of the images from `from` on as fit. */
  async function runFitting(pixels: Uint8Array, from: number, asked: number) {
    for (let size = asked; ; ) {
      try {
        const piece = pixels.subarray(from * imageBytes, (from + size) * imageBytes);
        const embeddings = await runPadded(piece, size);
        // Only what went through is known to fit.
        if (size < asked) fitting = limit = Math.min(limit, size);
        return { embeddings, size };
      } catch (error) {
        const smaller = smallerThan(size);
        if (!isOutOfMemory(error)) throw error;
        if (smaller < 1) {
          // After CUDA's first such error no size fits any more: half of what was asked is for the next process to try.
          const half = smallerThan(asked);
          if (half >= 1) fitting = Math.min(fitting ?? half, half);
          throw error;
        }
        size = smaller;
      }
    }
  }

  return {
    fitting: () => fitting,
    async embed(pixels, count) {
      if (pixels.length !== count * imageBytes) {
        throw new RangeError(`expected ${count} images of ${imageBytes} bytes, got ${pixels.length} bytes`);
      }
      const pieces: Float32Array[] = [];
      for (let from = 0; from < count; ) {
        const { embeddings, size } = await runFitting(pixels, from, Math.min(count - from, limit));
        pieces.push(embeddings);
        from += size;
      }
      return pieces.length === 1 ? pieces[0]! : joinVectors(pieces);
    },
  };
}
