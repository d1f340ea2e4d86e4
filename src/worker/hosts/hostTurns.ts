import { setImmediate as immediate } from 'node:timers/promises';
import type { ClipfleetError } from '../../shared/errors.ts';
import { createHostNews } from './hostNews.ts';
import type { HostAnswer, VisitHost } from './hostRecord.ts';
import { createHostShare } from './hostShare.ts';
import {
  type Asker,
  afterRequest,
  afterVisit,
  type HostState,
  isNews,
  mostAtOnce,
  type Outcome,
  turnOf,
  unknownHost,
  withNews,
} from './hostState.ts';
import { whyNoTurn } from './hostWait.ts';
import { createQueuePace } from './queuePace.ts';
import { createRunsHere } from './runsHere.ts';
import { createWaitingRoom } from './waitingRoom.ts';

/** Leave for one request. `end` is told what came of it, exactly once. */
export interface Turn {
  end(outcome: Outcome): void;
}

export interface HostTurns {
  /** A turn now. @throws HostWait, HOST_BUSY, HOST_DOWN */
  enter(asker: Asker): Promise<Turn>;
  /** Resolves in the order of asking when a turn may be free, or when the signal is aborted, or to false after `ms`. */
  nearTurn(run: string, ms: number, signal?: AbortSignal): Promise<boolean>;
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

/** How often the record is visited while there is something to do. */
const TERM_MS = 1_000;
/** How soon to ask again for what the record could not give. */
const POLL_MS = 250;
/** How long a host that does not answer well is known without being asked for, so that its state is logged once. */
const KNOWN_MS = 60_000;
/** A host that is not to be asked for this long is not waited for in place. */
const LONG_MS = 2_000;

/**
 * One host as this worker sees it: its state, the share of it the record gave, the images that wait.
 *
 * A share is good for many images: a worker at one host visits the record about once a second, and at once when it could
 * use more than it has or something went wrong.
 */
export function createHostTurns(options: HostTurnsOptions): HostTurns {
  const { host, visitHost, patienceMs, onState, onIdle } = options;
  const room = createWaitingRoom();
  const share = createHostShare();
  const news = createHostNews();
  const pace = createQueuePace();
  const runs = createRunsHere();
  let state: HostState = unknownHost;
  /** Images that wait for a visit's answer. */
  let asking = 0;
  let askAgainAt = 0;
  let hasNews = false;
  let visiting: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  const free = () => share.free(mostAtOnce(state));
  /** Whether the one request that tries is to be of another run. */
  const isOfAnother = (run: string) => (turnOf(state) ?? run) !== run;
  const wake = () => room.wake(free(), turnOf(state));
  const isGoingAhead = () => !state.isProven && share.inUse > 0;
  const isIdle = () => share.inUse === 0 && asking === 0 && room.size === 0;

  function take(asker: Asker): Turn | undefined {
    if (free() < 1 || isOfAnother(asker.run)) return undefined;
    share.begin();
    pace.turn(room.size);
    return { end: (outcome) => end(outcome, asker) };
  }

  function end(outcome: Outcome, asker: Asker): void {
    share.end();
    news.add(outcome, asker, state.isProven);
    const [before, isToTell] = [state, isNews(state, outcome)];
    state = afterRequest(before, outcome);
    if (isToTell) tell();
    else if (state.isProven && !before.isProven && room.size > 0) void visit();
    else wake();
  }

  function tell(): void {
    state = withNews(state);
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
    const isKept = !Number.isFinite(share.starts) && !hasNews && !isIdle() && free() > 0;
    hasNews = false;
    const needed = Math.max(share.peak, share.inUse + asking + room.size);
    const wanted = isIdle() ? 0 : state.isProven ? needed : 1;
    const inUse = isKept ? share.inUse + free() : share.inUse;
    const said = { ...news.take(), inUse, wanted, startsBack: share.visit(isKept), runs: runs.here() };
    const answer = await visitHost(host, said);
    if (answer.state !== state.answer.state) onState(host, answer);
    state = afterVisit(state, answer);
    share.grant(answer);
    const isShort = answer.slots < wanted || answer.starts < wanted - inUse;
    const isSome = answer.slots > 0 && answer.starts > 0;
    askAgainAt = isShort ? performance.now() + (isSome ? TERM_MS : POLL_MS) : 0;
    // Nobody stays for what does not come: they hear it when they enter.
    if (answer.waitMs > LONG_MS || answer.state === 'down') room.wake(room.size);
  }

  function schedule(): void {
    clearTimeout(timer);
    const { answer } = state;
    if (isIdle() && share.slots === 0) {
      timer = setTimeout(onIdle, answer.state === 'open' ? 0 : KNOWN_MS, host).unref();
      return;
    }
    const soon = answer.waitMs > 0 ? Math.min(POLL_MS, Math.max(50, answer.waitMs)) : POLL_MS;
    const isShort = room.size > 0 && !isGoingAhead() && (share.slots === 0 || share.starts < 1);
    timer = setTimeout(visit, isShort ? soon * (0.75 + Math.random() / 2) : TERM_MS).unref();
  }

  const refusal = ({ run }: Asker): ClipfleetError =>
    whyNoTurn(host, run, state.answer, pace.waitMs(room.size), patienceMs);

  return {
    async enter(asker) {
      runs.add(asker.run, state.answer.waitMs);
      let turn = take(asker);
      // The first visit may be one that was under way and knew nothing of this image.
      for (let visits = 0; !turn && visits < 2; visits++) {
        if (isGoingAhead() || isOfAnother(asker.run) || performance.now() < askAgainAt) break;
        asking++;
        await visit().finally(() => asking--);
        turn = take(asker);
      }
      if (!turn) throw refusal(asker);
      return turn;
    },

    nearTurn(run, ms, signal) {
      const woken = room.wait(run, ms, signal);
      if (free() > 0 && !isOfAnother(run)) wake();
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
