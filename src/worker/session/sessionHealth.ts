import { asClipfleetError, ClipfleetError } from '../../shared/errors.ts';

export interface SessionHealthOptions {
  /** Bytes of one image's pixels. */
  imageBytes: number;
  /** Embeddings of `count` images, each of the same length. */
  embed: (pixels: Uint8Array, count: number) => Promise<Float32Array>;
  /** Whether a blank image had an embedding of finite numbers when the session was made ready. */
  isBlankFinite: boolean;
}

export interface SessionHealth {
  /** As `embed`; SESSION_LOST where the session and not the images failed. */
  embedImages(pixels: Uint8Array, count: number): Promise<Float32Array>;
  /** What `run` gives, which asks the session something else; SESSION_LOST where it fails and the session is broken. */
  watch<T>(run: () => Promise<T>): Promise<T>;
  /** Rejects with SESSION_LOST when the session fails whatever it is given. */
  broken: Promise<never>;
}

/** Runs in a row that fail before the session is given up, the images' own among them. */
const FAILURES_MAX = 4;

/**
 * Tells a session that has broken, after an error of CUDA that stays, say, from images that cannot be embedded.
 *
 * A batch that failed, or of which no embedding is of finite numbers, is held until blank images went through. If one does, the batch
 * failed by itself. If none of a few does, the session is broken: its images are not at fault, and the process should end.
 */
export function createSessionHealth({
  imageBytes,
  embed,
  isBlankFinite,
}: SessionHealthOptions): SessionHealth {
  let lost: ClipfleetError | undefined;
  let lose: (error: Error) => void;
  const broken = new Promise<never>((_, reject) => {
    lose = reject;
  });
  broken.catch(() => {});

  const isGood = (embeddings: Float32Array, count: number) => {
    const dimensions = embeddings.length / count;
    for (let i = 0; i < embeddings.length; i += dimensions) if (Number.isFinite(embeddings[i])) return true;
    return !isBlankFinite;
  };

  /** Undefined when a blank image has its embedding, else what the last one failed with. */
  async function tryBlank(): Promise<Error | undefined> {
    let error: Error | undefined;
    for (let failures = 1; failures < FAILURES_MAX; failures++) {
      try {
        if (isGood(await embed(new Uint8Array(imageBytes), 1), 1)) return undefined;
        error = new Error('embeddings that are not finite numbers');
      } catch (thrown) {
        error = asClipfleetError(thrown, 'INFERENCE_FAILED');
      }
    }
    return error;
  }

  async function refuseIfBroken(): Promise<void> {
    if (lost) throw lost;
    const error = await tryBlank();
    if (!error) return;
    lost = new ClipfleetError(
      'SESSION_LOST',
      `The session fails with blank images too, ${FAILURES_MAX} times in a row, the last with: ${error.message}`,
      { cause: error },
    );
    lose(lost);
    throw lost;
  }

  async function watch<T>(run: () => Promise<T>): Promise<T> {
    if (lost) throw lost;
    try {
      return await run();
    } catch (error) {
      if (error instanceof ClipfleetError && error.code === 'SESSION_LOST') throw error;
      await refuseIfBroken();
      throw error;
    }
  }

  return {
    broken,
    watch,
    embedImages: (pixels, count) =>
      watch(async () => {
        const embeddings = await embed(pixels, count);
        if (!isGood(embeddings, count)) await refuseIfBroken();
        return embeddings;
      }),
  };
}
