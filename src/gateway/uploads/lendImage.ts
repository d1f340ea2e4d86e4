import { ClipfleetError, type ErrorCode, errorTable } from '../../shared/errors.ts';
import { uploadUri } from '../../shared/refs/uploadUri.ts';
import { inlineUri } from './imageIn.ts';
import type { Spool } from './spool.ts';

/** Larger images would fill Redis with their jobs. */
const INLINE_BYTES_MAX = 256 * 1024;

/** What a worker says of an upload that it cannot reach: a fault of how the fleet is set up, and not of the image. */
const unreached: readonly ErrorCode[] = [
  'IMAGE_NOT_FOUND',
  'IMAGE_FORBIDDEN',
  'IMAGE_ADDRESS_BLOCKED',
  'IMAGE_HTTP_STATUS',
  'IMAGE_TOO_MANY_REDIRECTS',
  'FETCH_FAILED',
  'FETCH_TIMEOUT',
  'HOST_BUSY',
  'HOST_DOWN',
  'HOST_UNRESOLVED',
];

export interface LendOptions {
  spool: Spool;
  /** Address of the gateway, as workers reach it. */
  gatewayUrl: () => string;
  /** How long workers may read an image whose answer nobody waits for any more. */
  keptMs: number;
}

/**
 * Asks for an image that workers read by the uri they are given: a small one's bytes are in it, a large one lies in the spool until its answer is there.
 *
 * @param image its bytes, or its URL
 * @throws what `ask` does, SPOOL_FULL, UPLOAD_UNREAD where workers cannot read from the gateway
 */
export type LendImage = <T>(image: Buffer | string, ask: (uri: string) => Promise<T>) => Promise<T>;

export function createLendImage({ spool, gatewayUrl, keptMs }: LendOptions): LendImage {
  return async (image, ask) => {
    if (typeof image === 'string' || image.length < INLINE_BYTES_MAX) return ask(inlineUri(image));
    const name = await spool.put(image, keptMs);
    const gateway = gatewayUrl();
    try {
      const answer = await ask(uploadUri(gateway, name));
      await spool.remove(name);
      return answer;
    } catch (error) {
      // Where none came, a worker may still read it.
      if (!(error instanceof ClipfleetError) || errorTable[error.code].scope !== 'image') throw error;
      await spool.remove(name);
      if (!unreached.includes(error.code)) throw error;
      const message =
        `Expected workers to read uploads at ${gateway}, got ${error.code}: ${error.message} ` +
        'Start them with --gateway, and with --gateway-key where the gateway has keys.';
      throw new ClipfleetError('UPLOAD_UNREAD', message, { cause: error });
    }
  };
}
