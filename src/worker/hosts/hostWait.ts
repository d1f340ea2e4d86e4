import { ClipfleetError } from '../../shared/errors.ts';
import type { NameStanding } from '../names/hostNames.ts';
import type { HostAnswer } from './hostRecord.ts';

/**
 * An image cannot be fetched now, and nothing is wrong with it: it waits for its host's turn, or the host asked for time.
 * Who catches it waits that long and tries again; it is no attempt.
 */
export class HostWait extends ClipfleetError {
  readonly host: string;
  /** Of which run the image is. */
  readonly run: string;
  /** When to try again, in ms from now: what the host asked for, or an estimate of the queue. */
  readonly waitMs: number;
  /** Whether the host refused this very image, and not others before it. */
  readonly refused: boolean;

  constructor({ host, run }: { host: string; run: string }, waitMs: number, why: string, refused = false) {
    super('HOST_BUSY', `Expected ${host} to be asked now, but it ${why}; ask for less with --host-rate.`);
    this.host = host;
    this.run = run;
    this.waitMs = waitMs;
    this.refused = refused;
  }
}

/**
 * Why an image of the run gets no turn at the host: a HostWait, until the host said or after its queue; HOST_DOWN when it is down for
 * the run, or fails for longer than `patienceMs`; HOST_BUSY when it has refused for longer than that.
 */
export function whyNoTurn(
  host: string,
  run: string,
  { state, waitMs, refusingMs, failingMs, condemned }: HostAnswer,
  queueMs: number,
  patienceMs: number,
): ClipfleetError {
  if (state === 'down' && (condemned.includes(run) || failingMs > patienceMs)) {
    const message = `Expected ${host} to answer, but it has given nothing but failures for ${failingMs} ms.`;
    return new ClipfleetError('HOST_DOWN', message);
  }
  if (refusingMs > patienceMs) {
    const message = `Expected ${host} to answer, but it has asked for fewer requests for ${refusingMs} ms.`;
    return new ClipfleetError('HOST_BUSY', message);
  }
  const image = { host, run };
  if (waitMs === 0) return new HostWait(image, queueMs, 'has as many requests as it may');
  return new HostWait(image, waitMs, state === 'open' ? 'has its rate' : 'did not answer well before');
}

/**
 * Why a host is not asked whose address is not known: a HostWait while it is looked up, and HOST_UNRESOLVED when the name
 * server has not answered for longer than `longestMs`.
 */
export function whyNoAddress(
  host: string,
  run: string,
  standing: Exclude<NameStanding, { kind: 'known' }>,
  longestMs: number,
): ClipfleetError {
  const waited = `for ${Math.round(standing.unansweredMs)} ms`;
  if (standing.unansweredMs > longestMs) {
    const message = `Expected an address of ${host}, but the name server has not answered ${waited}; it was not asked.`;
    return new ClipfleetError('HOST_UNRESOLVED', message);
  }
  const waitMs = standing.kind === 'asking' ? 0 : standing.waitMs;
  return new HostWait({ host, run }, waitMs, `is not resolved ${waited}`);
}
