import type { LookupAddress } from 'node:dns';
import PQueue from 'p-queue';
import { type LookupProcess, startLookupProcess } from './startLookupProcess.ts';

/** How urgent a look-up is: of a name that had an address before, of a new one, of one that did not come before. */
export type Urgency = 'known' | 'new' | 'again';

export interface Lookups {
  /** Addresses by getaddrinfo. @throws NameError */
  ask(name: string, urgency: Urgency): Promise<LookupAddress[]>;
  /** Ends the process when nobody waits for it. */
  close(): void;
}

/** A name server that works answers far sooner; what comes later is asked again, and found in its cache. */
const LIMIT_MS = 3_000;
/** Look-ups at once. Names that had an address before have places of their own: no other name can hold them up. */
const AT_ONCE = 24;
const KNOWN_AT_ONCE = 8;
/** Look-ups that hang in a process before another takes its place. */
const HANGING_MAX = 32;
/** A process without work is ended: it holds memory. */
const IDLE_MS = 60_000;

/**
 * Looks names up in a process of its own, few at a time.
 *
 * getaddrinfo cannot be stopped, and holds a thread of libuv's pool until the name server answers or for 10 s and more.
 * In this process file reads and decodes need those threads. c-ares would hold none, but knows neither /etc/hosts nor search
 * domains as the system does.
 */
export function createLookups(): Lookups {
  const places = new PQueue({ concurrency: AT_ONCE });
  const knownPlaces = new PQueue({ concurrency: KNOWN_AT_ONCE });
  let current: LookupProcess | undefined;
  let idle: NodeJS.Timeout | undefined;

  function retire(): void {
    current?.retire();
    current = undefined;
  }

  function ask(name: string): Promise<LookupAddress[]> {
    clearTimeout(idle);
    idle = setTimeout(retire, IDLE_MS).unref();
    if (current && current.hanging >= HANGING_MAX) retire();
    current ??= startLookupProcess();
    return current.ask(name, LIMIT_MS);
  }

  return {
    ask(name, urgency) {
      if (urgency === 'known') return knownPlaces.add(() => ask(name));
      return places.add(() => ask(name), { priority: urgency === 'new' ? 1 : 0 });
    },
    close() {
      clearTimeout(idle);
      retire();
    },
  };
}
