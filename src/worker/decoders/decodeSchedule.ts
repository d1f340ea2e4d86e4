import { ClipfleetError } from '../../shared/errors.ts';
import { createDecodeBacklog, type DecodeRoom } from './decodeBacklog.ts';
import type { DecoderHost, ScheduleEvents } from './decodePorts.ts';
import { createDecoderCrew, type Decoder, type DecodeTask } from './decoderCrew.ts';
import { afterEnding } from './decoderEnding.ts';
import type { DecoderLimits, Ending } from './decoderMessages.ts';
import type { DecoderAnswer } from './decoderProcess.ts';

export interface DecodeSchedule {
  add(task: DecodeTask): void;
  /** Takes an image back unless a decoder has it; whether it did. */
  takeBack(task: DecodeTask): boolean;
  /** A decoder that nobody asked anything of has ended. */
  gone(decoder: number): void;
  /** Gives nothing to anybody any more. */
  stop(): void;
}

/** Starts that may fail in a row, each after a pause twice as long. */
const START_ATTEMPTS = 6;
const START_PAUSE_MS = 50;
/** How often it looks for images that are stuck behind a slow one, and for decoders too many; each look costs the main thread. */
const LOOK_MS = 200;

/**
 * Decides which image goes to which decoder:
 *
 * - an image to an idle decoder, else to a new one, else behind an image that will soon be done; urgent ones first;
 * - a large one when there is room for its pixels, in their order, so that none waits for ever;
 * - one whose decoder ended, alone to a new decoder;
 * - one that waits behind a slow image, back to where it came from;
 * - while an image is slow, another decoder works in its decoder's place; afterwards one rests, and ends at last.
 */
export function createDecodeSchedule(
  host: DecoderHost,
  { room, limits }: { room: DecodeRoom; limits: DecoderLimits },
  events: ScheduleEvents,
  now = () => performance.now(),
): DecodeSchedule {
  const backlog = createDecodeBacklog(room);
  const crew = createDecoderCrew(room.decoders, now);
  let failedStarts = 0;
  let isStopped = false;
  let pause: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;

  function feed(): void {
    if (isStopped) return;
    while (!pause && crew.hasPlace()) {
      const task = backlog.nextAlone();
      if (!task) break;
      void start(task);
    }
    for (let decoder = crew.idle(); decoder; decoder = crew.idle()) {
      const task = backlog.next();
      if (!task) break;
      give(decoder, task);
    }
    while (!pause && backlog.waiting() > crew.coming() && crew.hasPlace()) void start();
    for (let decoder = crew.soonIdle(); decoder; decoder = crew.soonIdle()) {
      const task = backlog.nextSmall();
      if (!task) break;
      give(decoder, task);
    }
    look();
  }

  async function start(task?: DecodeTask): Promise<void> {
    const decoder = crew.add(task);
    const ending = await host.start(decoder.number);
    if (isStopped) return;
    if (!ending) {
      failedStarts = 0;
      decoder.state = 'ready';
      if (task) give(decoder, task);
      return feed();
    }
    leave(decoder);
    if (task) {
      backlog.release(task);
      backlog.putBack(task, 'first');
    }
    failedStarts++;
    if (failedStarts >= START_ATTEMPTS) return events.onLost(cannotStart(ending));
    pause ??= setTimeout(
      () => {
        pause = undefined;
        feed();
      },
      START_PAUSE_MS * 2 ** failedStarts,
    );
  }

  function give(decoder: Decoder, task: DecodeTask): void {
    decoder.line.push(task);
    if (decoder.line.length === 1) beginFirst(decoder);
    const { id, file, bytes, digest } = task;
    const isLarge = task.pixels !== undefined;
    const request = { id, digest, room: task.pixels ?? room.free, isLarge, ...(file && { file }) };
    void host.decode(decoder.number, request, bytes).then((answer) => answered(decoder, task, answer));
  }

  function beginFirst(decoder: Decoder): void {
    decoder.since = now();
    decoder.onEnd = events.onBegin();
  }

  function answered(decoder: Decoder, task: DecodeTask, answer: DecoderAnswer): void {
    const place = decoder.line.indexOf(task);
    decoder.line.splice(place, 1);
    backlog.release(task);
    if (place === 0) {
      decoder.onEnd();
      decoder.since = now();
      if (decoder.line.length > 0) beginFirst(decoder);
    }
    if ('ended' in answer) ended(decoder, task, answer);
    else {
      decoder.startedFor = undefined;
      replied(task, answer);
    }
    feed();
  }

  function replied(task: DecodeTask, answer: Extract<DecoderAnswer, { reply: object }>): void {
    const { reply } = answer;
    if ('failed' in reply) {
      events.onFailed(task, new ClipfleetError(reply.failed.code, reply.failed.message));
    } else if ('needs' in reply) {
      task.pixels = reply.needs;
      backlog.putBack(task, 'last');
    } else if ('forgotten' in reply) backlog.putBack(task, 'first');
    else events.onPixels(task, answer);
  }

  function ended(
    decoder: Decoder,
    task: DecodeTask,
    { ended, begun }: { ended: Ending; begun: boolean },
  ): void {
    leave(decoder);
    // Images behind that one come back with the same ending.
    if (begun) events.onEnded(true);
    if (begun) task.deaths++;
    const error = begun && afterEnding(ended, task.deaths, limits);
    if (error) events.onFailed(task, error);
    else backlog.putBack(task, begun ? 'last' : 'first');
  }

  function leave(decoder: Decoder): void {
    decoder.state = 'gone';
    crew.remove(decoder);
  }

  function end(decoder: Decoder): void {
    leave(decoder);
    host.end(decoder.number);
  }

  /** Looks at what only time changes, as long as there is such. It holds no process: whoever waits for an image does. */
  function look(): void {
    if (!crew.isChanging()) {
      clearInterval(looking);
      looking = undefined;
    } else looking ??= setInterval(lookOnce, LOOK_MS).unref();
  }

  function lookOnce(): void {
    for (const { number, line } of crew.stuck()) for (const { id } of line.slice(1)) host.forget(number, id);
    for (let decoder = crew.rested(); decoder; decoder = crew.rested()) end(decoder);
    feed();
  }

  return {
    add(task) {
      backlog.add(task);
      feed();
    },
    takeBack: backlog.remove,
    gone(number) {
      const decoder = [...crew.all()].find((each) => each.number === number);
      // Where it had images, each has had its answer, which came before.
      if (!decoder || decoder.state === 'starting') return;
      events.onEnded(false);
      leave(decoder);
      feed();
    },
    stop() {
      isStopped = true;
      clearTimeout(pause);
      clearInterval(looking);
    },
  };
}

function cannotStart({ how }: Ending): ClipfleetError {
  const message = `Expected to start a decoder, but ${START_ATTEMPTS} in a row ended before they were ready (${how}).`;
  return new ClipfleetError('SESSION_LOST', message);
}
