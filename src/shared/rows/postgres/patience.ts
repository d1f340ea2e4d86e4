import { type BackOffOptions, createBackOff } from '../../backOff.ts';
import { passes } from './faults.ts';
import type { SqlSessions } from './sqlSession.ts';

/**
 * The same sessions, which outlive an absent server as a connection to Redis does: statements wait, with pauses that grow to 5 s,
 * until it is back or the sessions are closed. So what a worker has is stored then, and nothing is done twice. The log says it
 * once a minute.
 *
 * A statement whose answer was lost may come twice: each is written so that this changes nothing.
 */
export function withPatience(sessions: SqlSessions, log: BackOffOptions['log']): SqlSessions {
  const closing = new AbortController();
  const backOff = createBackOff({ log, signal: closing.signal, whatFailed: () => 'PostgreSQL' });

  /** Does the work again and again while the server is away, full or on its way up. */
  async function patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        const answer = await work();
        backOff.recovered();
        return answer;
      } catch (error) {
        if (closing.signal.aborted || !passes(error)) throw error;
        await backOff.fault(error);
      }
    }
  }

  return {
    ...sessions,
    query: (text, values) => patiently(() => sessions.query(text, values)),
    inTransaction: (work) => patiently(() => sessions.inTransaction(work)),
    async close() {
      closing.abort();
      await sessions.close();
    },
  };
}
