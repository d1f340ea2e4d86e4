/** What is written of an event: at its first time, then how often it came since, then that it is over. */
export type EventNews =
  | { kind: 'first' }
  | { kind: 'again'; times: number }
  | { kind: 'over'; times: number; seconds: number };

interface Repeated {
  since: number;
  lastAt: number;
  /** All of them, and those since something was written. */
  times: number;
  unsaid: number;
  write: (news: EventNews) => void;
}

export interface RepeatedEventsOptions {
  /** Between two lines of one event, in milliseconds. */
  everyMs?: number;
  now?: () => number;
}

/** Events told apart; beyond that each is written, because what is so various is no repetition. */
const EVENTS_MAX = 1_000;

/**
 * Bounds the lines of events that repeat: one is written once, then at most once in `everyMs` with how often it came, and once
 * more when it has not come for so long.
 *
 * `look` is to be called every `everyMs` or more often.
 */
export function createRepeatedEvents({ everyMs = 60_000, now = Date.now }: RepeatedEventsOptions = {}) {
  const events = new Map<string, Repeated>();
  return {
    /** @param write writes a line of the event; the last one given is used later */
    note(event: string, write: Repeated['write']): void {
      const at = now();
      const known = events.get(event);
      if (known) {
        known.times++;
        known.unsaid++;
        Object.assign(known, { lastAt: at, write });
        return;
      }
      if (events.size < EVENTS_MAX) {
        events.set(event, { since: at, lastAt: at, times: 1, unsaid: 0, write });
      }
      write({ kind: 'first' });
    },

    look(): void {
      const at = now();
      for (const [event, { since, lastAt, times, unsaid, write }] of events) {
        if (unsaid > 0) write({ kind: 'again', times: unsaid });
        events.get(event)!.unsaid = 0;
        if (at - lastAt < everyMs) continue;
        events.delete(event);
        if (times > 1) write({ kind: 'over', times, seconds: Math.round((lastAt - since) / 1_000) });
      }
    },
  };
}
