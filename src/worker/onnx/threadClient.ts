import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { asClipfleetError, ClipfleetError, type ErrorCode } from '../../shared/errors.ts';
import { movable } from './movable.ts';

/** For a thread to end that is told to: a run of a large batch is finished first. */
const CLOSE_MAX_MS = 10_000;

/** To a thread: one request a message. */
export interface ThreadRequest<Request> {
  id: number;
  request: Request;
}

/** From a thread: `ready` or `broken` once, then one answer to each request; notices at any time. */
export type ThreadAnswer<Ready, Notice> =
  | { notice: Notice }
  | { ready: Ready }
  | { broken: { code: ErrorCode; message: string } }
  | { id: number; answer: unknown }
  | { id: number; error: { code: ErrorCode; message: string } };

export interface ThreadClient<Request, Ready> {
  /** What the thread says of itself once it can take work. Rejects with what it broke on, or as `died` does. */
  ready: Promise<Ready>;
  /** Rejects when the thread ends by itself: the process has lost its purpose and should end. */
  died: Promise<never>;
  /** The thread's answer. The buffers in `moved` are moved where they can be, else copied. What is asked before the thread is ready, waits. */
  ask<Answer>(request: Request, moved?: ArrayBuffer[]): Promise<Answer>;
  /** Whether the thread keeps the process running; it does from its start. */
  hold(isHeld: boolean): void;
  /**
   * From now on an answer that takes longer means that the thread hangs: what it was asked is rejected with SESSION_LOST, and so is
   * `died`. The time of one that waits for its turn begins with its turn.
   */
  limitAnswers(ms: number): void;
  /** Ends the thread. What it was asked and has not answered is rejected with SESSION_LOST. */
  close(): Promise<void>;
}

/**
 * Starts a thread whose file calls `serveThread`.
 *
 * @param name of the thread, as the beginning of a sentence: `The session thread`
 * @param data plain data for the thread, as its `workerData`
 * @param onNotice told of what the thread says unasked
 */
export function startThread<Request, Ready, Notice = never>(
  name: string,
  file: URL,
  data?: unknown,
  onNotice?: (notice: Notice) => void,
): ThreadClient<Request, Ready> {
  // The process may have been started with flags that a thread refuses, such as --input-type.
  const thread = new Worker(file, { workerData: data, execArgv: [] });
  const waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();
  let nextId = 0;
  let closing = false;
  let lost: Error | undefined;
  let answerMaxMs: number | undefined;
  let clock: NodeJS.Timeout | undefined;

  function lose(error: Error): void {
    lost = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
    windClock();
  }

  /** The clock runs while there is something to answer, anew from each answer. */
  function windClock(): void {
    clearTimeout(clock);
    if (answerMaxMs === undefined || waiting.size === 0) return;
    const [oldest] = waiting.keys();
    // An answer may have come while this thread itself was held up: it is heard first.
    const strike = () => setImmediate(() => waiting.has(oldest!) && hang());
    clock = setTimeout(strike, answerMaxMs);
  }

  let hang: () => void;
  const died = new Promise<never>((_, reject) => {
    hang = () => {
      const seconds = answerMaxMs! / 1_000;
      reject(new ClipfleetError('SESSION_LOST', `${name} has not answered for ${seconds} s: it hangs.`));
    };
    thread.once('error', (error) => reject(asClipfleetError(error, 'SESSION_LOST')));
    thread.once('exit', (code) => {
      const ended = new ClipfleetError('SESSION_LOST', `${name} ended with code ${code}.`);
      // Its last words come in the same turn, and count first.
      if (!closing) setImmediate(reject, ended);
    });
  });
  died.catch(lose);

  const firstMessage = new Promise<Ready>((resolve, reject) => {
    thread.on('message', (message: ThreadAnswer<Ready, Notice>) => {
      if ('notice' in message) onNotice?.(message.notice);
      else if ('ready' in message) resolve(message.ready);
      else if ('broken' in message) reject(errorOf(message.broken));
      else {
        const request = waiting.get(message.id);
        waiting.delete(message.id);
        windClock();
        if ('answer' in message) request?.resolve(message.answer as never);
        else request?.reject(errorOf(message.error));
      }
    });
  });
  const ready = Promise.race([firstMessage, died]);
  // Whoever waits for it hears of it; where nobody does, the first answer says it.
  ready.catch(lose);

  return {
    ready,
    died,
    ask<Answer>(request: Request, moved: ArrayBuffer[] = []): Promise<Answer> {
      if (lost) return Promise.reject(lost);
      const id = nextId++;
      return new Promise<Answer>((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        if (waiting.size === 1) windClock();
        thread.postMessage({ id, request } satisfies ThreadRequest<Request>, movable(moved));
      });
    },
    hold(isHeld) {
      if (isHeld) thread.ref();
      else thread.unref();
    },
    limitAnswers(ms) {
      answerMaxMs = ms;
      windClock();
    },
    async close() {
      closing = true;
      lose(new ClipfleetError('SESSION_LOST', `${name} was closed while it was asked.`));
      // One that hangs in native code ends with the process.
      await Promise.race([thread.terminate(), delay(CLOSE_MAX_MS, undefined, { ref: false })]);
    },
  };
}

function errorOf({ code, message }: { code: ErrorCode; message: string }): ClipfleetError {
  return new ClipfleetError(code, message);
}
