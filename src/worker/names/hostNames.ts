import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { createLookups, type Lookups, type Urgency } from './lookups.ts';
import { NameError } from './nameError.ts';

/** What is known of a name: whether its host may be asked, and if not, how long no address came and when to look again. */
export type NameStanding =
  | { kind: 'known' }
  | { kind: 'asking'; unansweredMs: number }
  | { kind: 'unanswered'; unansweredMs: number; waitMs: number };

export interface HostNames {
  /** The addresses of a name, from memory where they are fresh. @throws NameError */
  lookup(name: string): Promise<LookupAddress[]>;
  /** What is known of a name, after a moment where it is being looked up; begins to look where that is due. */
  standing(name: string): Promise<NameStanding>;
  /**
   * Where the name is not known: resolves to true when its look-up ends, or the pause before the next one, or the signal is
   * aborted, and to false after `ms`.
   */
  nearAnswer(name: string, ms: number, signal?: AbortSignal): Promise<boolean> | undefined;
  close(): void;
}

/** How long an answer is used. getaddrinfo tells no time to live. */
const FRESH_MS = 30_000;
/** An image that was let to its host connects at once; an answer that was fresh then is used for so much longer. */
const GRACE_MS = 5_000;
/** Pause after a look-up that did not come: doubled with each in a row. */
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
/** Most answers come sooner; an image does not give up its place for them. */
const MOMENT_MS = 250;
const NAMES_MAX = 10_000;

interface KnownName {
  addresses?: LookupAddress[];
  error?: NameError;
  /** Until when the answer is used, or nothing is asked after none came. Times are those of performance.now(). */
  until: number;
  /** Since when look-ups did not come, and how many in a row. */
  since: number;
  misses: number;
  asking?: Promise<unknown>;
}

/**
 * Remembers what names led to: addresses and that a name does not exist for half a minute, that no answer came for a
 * second, then two, up to half a minute.
 *
 * @param onMiss told of each look-up that did not come
 */
export function createHostNames(
  onMiss: (error: NameError) => void = () => {},
  lookups: Lookups = createLookups(),
): HostNames {
  const names = new LRUCache<string, KnownName>({ max: NAMES_MAX });

  function nameOf(name: string): KnownName {
    const known = names.get(name) ?? { until: Number.NEGATIVE_INFINITY, since: 0, misses: 0 };
    names.set(name, known);
    return known;
  }

  async function ask(name: string, known: KnownName): Promise<void> {
    const urgency: Urgency = known.addresses ? 'known' : known.misses > 0 ? 'again' : 'new';
    try {
      known.addresses = await lookups.ask(name, urgency);
      delete known.error;
    } catch (error) {
      if (!(error instanceof NameError)) throw error;
      known.error = error;
    }
    const now = performance.now();
    if (!known.error || known.error.isAbsent) {
      known.misses = 0;
      known.until = now + FRESH_MS;
      return;
    }
    if (known.misses++ === 0) known.since = now;
    known.until = now + Math.min(PAUSE_MIN_MS * 2 ** (known.misses - 1), PAUSE_MAX_MS);
    onMiss(known.error);
  }

  /** The name, with a look-up under way where its time is over. */
  function current(name: string, graceMs = 0): KnownName {
    const known = nameOf(name);
    if (!known.asking && performance.now() >= known.until + graceMs) {
      known.asking = ask(name, known).finally(() => delete known.asking);
    }
    return known;
  }

  return {
    async lookup(name) {
      const known = current(name, GRACE_MS);
      await known.asking;
      if (known.error) throw known.error;
      return known.addresses!;
    },

    async standing(name) {
      if (isIP(name) !== 0) return { kind: 'known' };
      const known = current(name);
      if (known.asking) await settled(known.asking, MOMENT_MS);
      const now = performance.now();
      const unansweredMs = known.misses > 0 ? now - known.since : 0;
      if (known.asking) return { kind: 'asking', unansweredMs };
      if (known.misses === 0) return { kind: 'known' };
      return { kind: 'unanswered', unansweredMs, waitMs: Math.max(0, known.until - now) };
    },

    nearAnswer(name, ms, signal) {
      const known = names.get(name);
      if (known?.asking) return settled(known.asking, ms, signal);
      if (!known?.misses) return undefined;
      // A timer may end a fraction of a millisecond before its time.
      const pauseMs = Math.max(0, Math.ceil(known.until - performance.now()) + 1);
      return settled(delay(pauseMs, undefined, { ref: false }), ms, signal);
    },

    close: () => lookups.close(),
  };
}

/** Whether the work ends, or the signal is aborted, within `ms`. */
function settled(work: Promise<unknown>, ms: number, signal?: AbortSignal): Promise<boolean> {
  return new Promise<boolean>((resolve) => {
    const settle = (isEnded: boolean) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', stop);
      resolve(isEnded);
    };
    const stop = () => settle(true);
    const timer = setTimeout(settle, ms, false);
    signal?.addEventListener('abort', stop);
    work.then(stop, stop);
    if (signal?.aborted) stop();
  });
}
