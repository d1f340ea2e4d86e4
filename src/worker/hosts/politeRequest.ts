import type { Dispatcher } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import { NameError } from '../names/nameError.ts';
import type { HostGate } from './hostGate.ts';
import type { Outcome } from './hostState.ts';
import type { Turn } from './hostTurns.ts';
import { HostWait } from './hostWait.ts';
import { retryAfterMs } from './retryAfter.ts';

export type SendRequest = (options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;

/** Runs `work`, which reads one image, with a `request` to be used in place of `send`, one request at a time. */
export type Politely = <T>(send: SendRequest, work: (request: SendRequest) => Promise<T>) => Promise<T>;

/** A wait after a refusal that does not say how long. The record of the host knows better by the next time. */
const REFUSED_MS = 1_000;

/**
 * An image's requests with a turn of their host, held to the end of `work`. A redirect within the host keeps it, so that
 * an image that is on its way does not wait behind others; one to another host needs that host's.
 *
 * A `Retry-After` is followed as far as `longestMs`. Throws HostWait when there is no turn, or when the host answered that
 * it wants fewer requests: HTTP 429, or 503 with `Retry-After`. HOST_BUSY and HOST_DOWN when that went on for too long.
 */
export function createPolitely(gate: HostGate, longestMs: number): Politely {
  return async (send, work) => {
    let held: { host: string; turn: Turn } | undefined;
    let outcome = 'none' as Outcome;

    async function request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
      const { host } = new URL(String(options.origin));
      if (held?.host !== host) {
        held?.turn.end(outcome);
        held = undefined;
        held = { host, turn: await gate.enter(host) };
      }
      outcome = 'failed';
      const response = await send(options);
      const { statusCode, headers, body } = response;
      const askedMs = Math.min(retryAfterMs(headers['retry-after'], headers.date), longestMs);
      outcome = statusCode >= 500 ? 'failed' : 'good';
      if (statusCode !== 429 && !(statusCode === 503 && askedMs > 0)) return response;
      outcome = { refusedMs: askedMs };
      body.on('error', () => {}).destroy();
      throw new HostWait(host, askedMs || REFUSED_MS, `answered HTTP ${statusCode}`, true);
    }

    try {
      return await work(request);
    } catch (error) {
      if (outcome === 'good' && isOfConnection(error)) outcome = 'failed';
      if (saysNothing(error)) outcome = 'none';
      throw error;
    } finally {
      held?.turn.end(outcome);
    }
  };
}

/** Whether nothing was asked of the host: its address is not allowed, or none came from the name server. */
function saysNothing(error: unknown): boolean {
  if (error instanceof NameError) return !error.isAbsent;
  return error instanceof ClipfleetError && error.code === 'IMAGE_ADDRESS_BLOCKED';
}

/** Whether the body broke off or did not come in time: what the image is like says nothing of its host. */
function isOfConnection(error: unknown): boolean {
  return !(error instanceof ClipfleetError) || error.code === 'FETCH_TIMEOUT';
}
