import type { Dispatcher } from 'undici';
import { ClipfleetError } from '../../shared/errors.ts';
import { NameError } from '../names/nameError.ts';
import { ConnectError } from './connectError.ts';
import type { HostGate } from './hostGate.ts';
import type { Outcome } from './hostState.ts';
import type { Turn } from './hostTurns.ts';
import { HostWait } from './hostWait.ts';
import { retryAfterMs } from './retryAfter.ts';

export type SendRequest = (options: Dispatcher.RequestOptions) => Promise<Dispatcher.ResponseData>;

/** Runs `work`, which reads one image of the run, with a `request` to be used in place of `send`, one request at a time. */
export type Politely = <T>(
  send: SendRequest,
  work: (request: SendRequest) => Promise<T>,
  run: string,
) => Promise<T>;

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
  return async (send, work, run) => {
    let held: { host: string; turn: Turn } | undefined;
    let outcome = 'none' as Outcome;

    async function request(options: Dispatcher.RequestOptions): Promise<Dispatcher.ResponseData> {
      const { host } = new URL(String(options.origin));
      if (held?.host !== host) {
        held?.turn.end(outcome);
        held = undefined;
        held = { host, turn: await gate.enter(host, { run, path: options.path }) };
      }
      outcome = 'failed';
      const response = await send(options);
      const { statusCode, headers, body } = response;
      const askedMs = Math.min(retryAfterMs(headers['retry-after'], headers.date), longestMs);
      outcome = statusCode >= 500 ? 'failed' : 'good';
      if (statusCode !== 429 && !(statusCode === 503 && askedMs > 0)) return response;
      outcome = { refusedMs: askedMs };
      body.on('error', () => {}).destroy();
      throw new HostWait({ host, run }, askedMs || REFUSED_MS, `answered HTTP ${statusCode}`, true);
    }

    try {
      return await work(request);
    } catch (error) {
      outcome = outcomeOf(error, outcome);
      throw error;
    } finally {
      held?.turn.end(outcome);
    }
  };
}

/** What the error of a request says of its host, whose answer, if there was one, said `answered`. */
function outcomeOf(error: unknown, answered: Outcome): Outcome {
  if (error instanceof ConnectError) return 'unreachable';
  if (error instanceof NameError) return error.isAbsent ? 'unreachable' : 'none';
  if (!(error instanceof ClipfleetError)) return answered === 'good' ? 'failed' : answered;
  if (error.code === 'IMAGE_ADDRESS_BLOCKED') return 'none';
  // The body did not come in time. Else what the image is like says nothing of its host.
  return error.code === 'FETCH_TIMEOUT' && answered === 'good' ? 'failed' : answered;
}
