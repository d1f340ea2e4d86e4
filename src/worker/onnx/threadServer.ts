import { parentPort } from 'node:worker_threads';
import { asClipfleetError, type ErrorCode } from '../../shared/errors.ts';
import { movable } from './movable.ts';
import type { ThreadAnswer, ThreadRequest } from './threadClient.ts';

/** An answer, and the buffers of it that are moved to the asking thread where they can be, else copied. */
export interface Answered {
  answer: unknown;
  moved?: ArrayBuffer[];
}

/** What a thread offers: a word of itself, and an answer to each request. */
export interface Served<Request, Ready> {
  ready: Ready;
  answer(request: Request): Promise<Answered>;
}

/**
 * The thread's side of `startThread`: opens what it serves, then answers one request after the other, in their order.
 *
 * @param open is given a way to tell what nobody asked
 * @param fallback the code of what `open` throws that is no ClipfleetError; of an answer it is INFERENCE_FAILED
 * @param inOrder false where the thread answers each request when it can, and others meanwhile
 */
export async function serveThread<Request, Ready, Notice = never>(
  open: (tell: (notice: Notice) => void) => Promise<Served<Request, Ready>>,
  fallback: ErrorCode,
  { inOrder = true } = {},
): Promise<void> {
  const port = parentPort!;
  const say = (message: ThreadAnswer<Ready, Notice>, moved: ArrayBuffer[] = []) =>
    port.postMessage(message, movable(moved));
  try {
    const { ready, answer } = await open((notice) => say({ notice }));
    let served = Promise.resolve();
    const serve = async ({ id, request }: ThreadRequest<Request>) => {
      try {
        const answered = await answer(request);
        say({ id, answer: answered.answer }, answered.moved);
      } catch (thrown) {
        say({ id, error: describe(thrown, 'INFERENCE_FAILED') });
      }
    };
    port.on('message', (message: ThreadRequest<Request>) => {
      if (inOrder) served = served.then(() => serve(message));
      else void serve(message);
    });
    say({ ready });
  } catch (thrown) {
    say({ broken: describe(thrown, fallback) });
  }
}

function describe(thrown: unknown, fallback: ErrorCode): { code: ErrorCode; message: string } {
  const { code, message } = asClipfleetError(thrown, fallback);
  return { code, message };
}
