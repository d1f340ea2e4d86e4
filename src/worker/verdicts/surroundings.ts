import { ClipfleetError } from '../../shared/errors.ts';

/** Errors that say of the program, and not of what is around it, that it is wrong: another try would end the same. */
const programErrors = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Redis' answers to a command that is itself wrong: an unknown one, wrong arguments, a key of another type. */
const WRONG_COMMAND = /^(ERR|WRONGTYPE|NOSCRIPT)\b/;

/**
 * Redis before 7 hands what went wrong inside a script on behind words of its own: `ERR Error running script ...: -OOM command
 * not allowed`. These are the states of a server that pass.
 */
const PASSING_STATE =
  /(^|[\s-])(OOM|READONLY|MISCONF|LOADING|BUSY|NOPERM|NOAUTH|MOVED|ASK|TRYAGAIN|CLUSTERDOWN|MASTERDOWN|NOREPLICAS)\s/;

/** Whether an error, or the reason that a failed job gives, is an answer of a Redis in a state that passes. */
export function isPassingState(error: unknown): boolean {
  return error instanceof Error && (PASSING_STATE.test(error.message) || isOfConnection(error.message));
}

/** What ioredis says of commands that had no answer. */
function isOfConnection(message: string): boolean {
  return /Connection is closed|Command timed out|ECONN|EPIPE|ETIMEDOUT|max retries per request/.test(message);
}

/**
 * Whether what a job ended with is a fault of its surroundings: of Redis, the results store, the session. Then nothing is said of
 * its images, and the job comes back without having spent an attempt. Everything counts as that which is not known to be a
 * fault of this program or of the data, because a store may be any other.
 */
export function isOfSurroundings(error: unknown): boolean {
  if (error instanceof ClipfleetError) return error.code === 'SESSION_LOST';
  if (!(error instanceof Error) || programErrors.some((kind) => error instanceof kind)) return false;
  if (error.name !== 'ReplyError') return true;
  return PASSING_STATE.test(error.message) || !WRONG_COMMAND.test(error.message);
}

/** What an error of the surroundings says to have failed. */
export function whatFailed(error: unknown): 'the session' | 'Redis' | 'the results store' {
  if (error instanceof ClipfleetError && error.code === 'SESSION_LOST') return 'the session';
  const isOfRedis = error instanceof Error && (error.name === 'ReplyError' || isPassingState(error));
  return isOfRedis ? 'Redis' : 'the results store';
}
