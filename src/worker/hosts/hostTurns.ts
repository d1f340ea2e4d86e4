import { setImmediate as immediate } from 'node:timers/promises';
import type { ClipfleetError } from '../../shared/errors.ts';
import { type HostAnswer, type HostReport, nothingGranted, type VisitHost } from './hostRecord.ts';
import { whyNoTurn } from './hostWait.ts';
import { createWaitingRoom } from './waitingRoom.ts';

/** What came of a request: `none` when it says nothing of the host; `refused` for how long it asked, 0 if it did not say. */
export type Outcome = 'good' | 'failed' | 'none' | { refusedMs: number };

/** Leave for one request. `end` is told what came of it, exactly once. */
export interface Turn {
  end(outcome: Outcome): void;
}

export interface HostTurns {
  /** A turn now. @throws HostWait, HOST_BUSY, HOST_DOWN */
  enter(): Promise<Turn>;
  /** Resolves in the order of asking when a turn may be free, or when the signal is aborted, or to false after `ms`. */
  nearTurn(ms: number, signal?: AbortSignal): Promise<boolean>;
  /** Tells the record that nothing is held any more. */
  leave(): Promise<void>;
}

interface HostTurnsOptions {
  host: string;
  visitHost: VisitHost;
  patienceMs: number;
  /** Told when the host's state changes. */
  onState: (host: string, answer: HostAnswer) => void;
  /** Told when nothing is under way or waits: everything worth keeping is in the record. */
  onIdle: (host: string) => void;
}

/** After this time without a visit nothing is begun: what the host told others is known everywhere about a second later. */
const TERM_MS = 1_000;
const VALID_MS = 1_500;
/** How soon to ask again for what the record could not give. */
const POLL_MS = 250;
/** How long a host that does not answer well is known without being asked for, so that its state is logged once. */
const KNOWN_MS = 60_000;
/** Longest guess of how long the queue at a host that answers is. */
const QUEUE_MS = 5_000;
/** A host that is not to be asked for this long is not waited for in place. */
const LONG_MS = 2_000;
/** As many failures in a row as begin a backoff: who has not answered well yet has no credit. */
const FAILURES_OF_UNKNOWN = 3;

const nothing = { good: false, failures: 0, refused: false, askedMs: 0 };

/**
 * One host as this worker sees it: the share of it the record gave, the requests under way, the images that wait.
 *
 * A share is good for many images: a worker at one host visits the record about once a second, and at once when it could
 * use more than it has or something went wrong.
 */
export function createHostTurns(options: HostTurnsOptions): HostTurns {
  const { host, visitHost, patienceMs, onState, onIdle } = options;
  const room = createWaitingRoom();
  let share = nothingGranted;
  let validUntil = 0;
  let askAgainAt = 0;
  let inUse = 0;
  let peak = 0;
  let asking = 0;
  let report: Omit<HostReport, 'inUse' | 'wanted' | 'startsBack'> = { ...nothing };
  let hasNews = false;
  /** Whether the host has answered well, since there was something for it to do. */
  let isProven = false;
  let visiting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Mean time from one turn to the next while others wait. */
  let gapMs = 0;
  let lastTurnAt = performance.now();

  /** One request goes ahead: a host that hangs gets one image of this worker, and not all that are here. */
  const free = () => {
    if (performance.now() >= validUntil) return 0;
    return Math.min((isProven ? share.slots : Math.min(share.slots, 1)) - inUse, Math.floor(share.starts));
  };
  const isGoingAhead = () => !isProven && inUse > 0;
  const isIdle = () => inUse === 0 && asking === 0 && room.size === 0;

  function take(): Turn | undefined {
    if (free() < 1) return undefined;
    inUse++;
    peak = Math.max(peak, inUse);
    share.starts--;
    const now = performance.now();
    if (room.size > 0) gapMs += (Math.min(now - lastTurnAt, TERM_MS) - gapMs) / 8;
    lastTurnAt = now;
    return { end };
  }

  function end(outcome: Outcome): void {
    inUse--;
    if (outcome === 'good') report = { ...report, good: true, failures: 0 };
    else if (outcome === 'failed') report.failures += isProven ? 1 : FAILURES_OF_UNKNOWN;
    else if (outcome !== 'none') {
      report.refused = true;
      report.askedMs = Math.max(report.askedMs, outcome.refusedMs);
    }
    const isFirst = outcome === 'good' && !isProven;
    isProven ||= isFirst;
    const isNews = outcome === 'good' ? share.trying : outcome !== 'none';
    if (isNews) tell();
    else if (isFirst && room.size > 0) void visit();
    else wake();
  }

  /** Nothing more is begun before the record has answered to the news. */
  function tell(): void {
    share = { ...share, slots: 0 };
    hasNews = true;
    void visit();
  }

  function visit(): Promise<void> {
    visiting ??= ask().finally(() => {
      visiting = undefined;
      if (hasNews) return tell();
      wake();
      schedule();
    });
    return visiting;
  }

  async function ask(): Promise<void> {
    clearTimeout(timer);
    // Images that come together ask together.
    await immediate();
    // Slots stay of use meanwhile, and count as if all were in use; starts are given back.
    const isRated = Number.isFinite(share.starts);
    const goesOn = !isRated && !hasNews && !isIdle() && free() > 0;
    hasNews = false;
    const needed = Math.max(peak, inUse + asking + room.size);
    const wanted = isIdle() ? 0 : isProven ? needed : 1;
    const startsBack = isRated ? share.starts : 0;
    const said = { ...report, inUse: goesOn ? inUse + free() : inUse, wanted, startsBack };
    report = { ...nothing };
    if (!goesOn) share = { ...share, slots: 0, starts: 0 };
    peak = inUse;
    const answer = await visitHost(host, said);
    if (answer.state !== share.state) onState(host, answer);
    share = { ...answer };
    const now = performance.now();
    validUntil = now + VALID_MS;
    const isShort = answer.slots < wanted || answer.starts < wanted - said.inUse;
    askAgainAt = isShort ? now + (answer.slots > 0 && answer.starts > 0 ? TERM_MS : POLL_MS) : 0;
    // Nobody stays for what does not come: they hear it when they enter.
    if (answer.waitMs > LONG_MS || answer.state === 'down') room.wake(room.size);
  }

  function schedule(): void {
    clearTimeout(timer);
    if (isIdle() && share.slots === 0) {
      timer = setTimeout(onIdle, share.state === 'open' ? 0 : KNOWN_MS, host).unref();
      return;
    }
    const soon = share.waitMs > 0 ? Math.min(POLL_MS, Math.max(50, share.waitMs)) : POLL_MS;
    const isShort = room.size > 0 && !isGoingAhead() && (share.slots === 0 || share.starts < 1);
    timer = setTimeout(visit, isShort ? soon * (0.75 + Math.random() / 2) : TERM_MS).unref();
  }

  const wake = () => room.wake(free());

  function refusal(): ClipfleetError {
    // A queue goes on as it went, and one that has stood still for long will stand for as long again.
    const queueMs = Math.max(gapMs * (room.size + 1), performance.now() - lastTurnAt);
    return whyNoTurn(host, share, Math.min(queueMs, QUEUE_MS), patienceMs);
  }

  return {
    async enter() {
      let turn = take();
      // The first visit may be one that was under way and knew nothing of this image.
      for (let visits = 0; !turn && visits < 2; visits++) {
        if (isGoingAhead() || performance.now() < askAgainAt) break;
        asking++;
        await visit().finally(() => asking--);
        turn = take();
      }
      if (!turn) throw refusal();
      return turn;
    },

    nearTurn(ms, signal) {
      const woken = room.wait(ms, signal);
      if (free() > 0) wake();
      else if (!visiting) schedule();
      return woken;
    },

    async leave() {
      await visiting;
      clearTimeout(timer);
      if (share.slots > 0) await visit();
      clearTimeout(timer);
    },
  };
}
