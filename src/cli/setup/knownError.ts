import { ClipfleetError } from '../../shared/errors.ts';
import { notAllowed } from '../../shared/redis/suitable.ts';

/** Redis' answers by their first word, which an error inside a script has further back. */
const REDIS_STATES = [
  {
    words: /\b(READONLY|MASTERDOWN)\b/,
    code: 'REDIS_UNSUITABLE',
    remedy: 'Set REDIS_URL to the server that takes writes.',
  },
  {
    words: /\b(MOVED|CROSSSLOT|CLUSTERDOWN)\b/,
    code: 'REDIS_UNSUITABLE',
    remedy: 'Set REDIS_URL to a server that is no cluster.',
  },
  {
    words: /\bOOM\b/,
    code: 'REDIS_UNAVAILABLE',
    remedy: 'Redis is full: raise maxmemory, or remove runs that are done (clipfleet rm RUN).',
  },
  {
    words: /\b(MISCONF|LOADING|BUSY|NOREPLICAS)\b/,
    code: 'REDIS_UNAVAILABLE',
    remedy: 'Redis takes no commands now: see its log, and run this again.',
  },
  {
    words: /Connection is closed|ECONN|EPIPE|ETIMEDOUT|Socket timeout/,
    code: 'REDIS_UNAVAILABLE',
    remedy: 'Is the server still there? Run this again.',
  },
] as const;

/** Any thrown thing as an error with a code: what nobody foresaw is a bug, and says so. */
export function knownError(thrown: unknown): ClipfleetError {
  if (thrown instanceof ClipfleetError) return thrown;
  const { name, message } = thrown instanceof Error ? thrown : { name: '', message: String(thrown) };
  const cause = { cause: thrown };
  const denied = notAllowed(message);
  if (denied) return denied;
  const line = message.split('\n')[0]!;
  const state = REDIS_STATES.find(({ words }) => words.test(line));
  if (state && (name === 'ReplyError' || state === REDIS_STATES.at(-1))) {
    return new ClipfleetError(state.code, `${line}. ${state.remedy}`, cause);
  }
  return new ClipfleetError('INTERNAL', `${line}. LOG_LEVEL=debug shows where.`, cause);
}
