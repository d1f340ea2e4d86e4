import { parentPort, workerData } from 'node:worker_threads';
import { asClipfleetError, type ErrorCode } from '../shared/errors.ts';
import type { SessionAnswer, SessionRequest } from './session.ts';
import { openTowers, type Towers, type TowersSpec } from './towers.ts';

/** The session thread: loads the towers, then answers one request after the other. */
const port = parentPort!;

function say(message: SessionAnswer, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function describe(thrown: unknown, fallback: ErrorCode) {
  const { code, message } = asClipfleetError(thrown, fallback);
  return { code, message };
}

let fittingSaid: number | undefined;

/** Before the answer, so that no batch is made too large in between. */
function sayFitting(towers: Towers): void {
  const imagesFitting = towers.imagesFitting();
  if (imagesFitting === undefined || imagesFitting === fittingSaid) return;
  fittingSaid = imagesFitting;
  say({ imagesFitting });
}

async function answer(towers: Towers, request: SessionRequest): Promise<void> {
  try {
    if (request.kind === 'images') {
      const embeddings = await towers
        .embedImages(request.pixels, request.count)
        .finally(() => sayFitting(towers));
      say({ id: request.id, answer: embeddings }, [embeddings.buffer as ArrayBuffer]);
    } else {
      const embedded = await towers.embedTexts(request.prompts);
      say({ id: request.id, answer: embedded }, [embedded.embeddings.buffer as ArrayBuffer]);
    }
  } catch (thrown) {
    say({ id: request.id, error: describe(thrown, 'INFERENCE_FAILED') });
  }
}

try {
  const towers = await openTowers(workerData as TowersSpec);
  port.on('message', (request: SessionRequest) => void answer(towers, request));
  fittingSaid = towers.imagesFitting();
  say({ ready: towers.info, imagesFitting: fittingSaid });
} catch (thrown) {
  say({ broken: describe(thrown, 'MODEL_INVALID') });
}
