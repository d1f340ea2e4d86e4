import { type HostAnswer, nothingGranted } from './hostRecord.ts';

/** Who asks a host: a run, and the path and query of its request. */
export interface Asker {
  run: string;
  path: string;
}

/**
 * What came of a request: `unreachable` when there was no connection, `none` when it says nothing of the host, `refusedMs` how
 * long the host asked for, 0 if it did not say.
 */
export type Outcome = 'good' | 'failed' | 'unreachable' | 'none' | { refusedMs: number };

/**
 * What this worker may do at a host.
 *
 * - `probing`: one request at a time. The host has not answered well here yet, or the record has one request try.
 * - `open`: as many requests as the record granted.
 * - `limited`: nothing is begun. The host asked for time or failed, its rate is used up, or what came of a request is on its
 *   way to the record, whose answer decides.
 * - `down`: nothing is begun. The host has given nothing but failures for long.
 */
export interface HostState {
  readonly name: 'probing' | 'open' | 'limited' | 'down';
  /** Whether the host has answered well to this worker. */
  readonly isProven: boolean;
  /** What the record said last. */
  readonly answer: HostAnswer;
}

export const unknownHost: HostState = { name: 'probing', isProven: false, answer: nothingGranted };

/** The record has answered. */
export function afterVisit({ isProven }: HostState, answer: HostAnswer): HostState {
  return { name: nameAfterVisit(isProven, answer), isProven, answer };
}

function nameAfterVisit(isProven: boolean, { slots, waitMs, state, trying }: HostAnswer): HostState['name'] {
  if (state === 'down' && slots === 0) return 'down';
  if (waitMs > 0) return 'limited';
  return trying || !isProven ? 'probing' : 'open';
}

/** A request has ended. */
export function afterRequest(state: HostState, outcome: Outcome): HostState {
  if (isNews(state, outcome)) return { ...state, name: 'limited', isProven: isGood(state, outcome) };
  const opens = outcome === 'good' && state.name === 'probing';
  return { ...state, name: opens ? 'open' : state.name, isProven: isGood(state, outcome) };
}

const isGood = ({ isProven }: HostState, outcome: Outcome) => isProven || outcome === 'good';

/** Whether the outcome may change what the record grants: nothing more is begun before it has answered. */
export function isNews({ answer }: HostState, outcome: Outcome): boolean {
  return outcome === 'good' ? answer.trying : outcome !== 'none';
}

/** News that came during a visit is told by the next one, and what the first one granted is not used. */
export function withNews(state: HostState): HostState {
  return { ...state, name: 'limited' };
}

/** Most requests that may be under way, of those that the record granted. */
export function mostAtOnce({ name }: HostState): number {
  if (name === 'open') return Number.POSITIVE_INFINITY;
  return name === 'probing' ? 1 : 0;
}

/** The run whose image is to try whether the host is well again; undefined where it is no matter. */
export function turnOf({ name, answer }: HostState): string | undefined {
  return name === 'probing' && answer.trying && answer.turnOf !== '' ? answer.turnOf : undefined;
}
