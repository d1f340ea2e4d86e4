import type { FastifyReply } from 'fastify';
import { ClipfleetError } from '../../shared/errors.ts';
import type { GatewayOptions } from './gatewayApp.ts';

/** Lets a single answer in while few wait. @throws QUEUE_FULL */
export async function admit({ producer, waitingMax }: GatewayOptions, model: string): Promise<void> {
  const waiting = await producer.waitingNow(model);
  if (waiting < waitingMax) return;
  const message = `Expected fewer than ${waitingMax} images in the interactive lane, ${waiting} wait.`;
  throw new ClipfleetError('QUEUE_FULL', message);
}

/** Aborts when nobody waits for the answer any more. */
export function untilGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.on('close', () => gone.abort(new ClipfleetError('REQUEST_INVALID', 'The client has gone.')));
  return gone.signal;
}
