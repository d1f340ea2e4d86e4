import { ClipfleetError } from '../../shared/errors.ts';
import { createDecodeQueue } from './decodeQueue.ts';
import { AHEAD_MS, createDecoderCrew, type Decoder, type DecodeTask } from './decoderCrew.ts';
import { afterEnding } from './decoderEnding.ts';
import type { DecodeRequest, DecoderLimits, Ending } from './decoderMessages.ts';
import type { DecoderAnswer } from './decoderProcess.ts';

/** The decoders, by number. */
export interface DecoderHost {
  /** Resolves to undefined when it is ready, to how it ended where it never is. */
  start(decoder: number): Promise<Ending | undefined>;
  decode(decoder: number, request: DecodeRequest, bytes?: Uint8Array): Promise<DecoderAnswer>;
  /** A request that has not begun comes back as forgotten. */
  forget(decoder: number, id: number): void;
  end(decoder: number): void;
}

/** How much is decoded at the same time. */
export interface DecodeRoom {
  /** Images. */
  decoders: number;
  /** Pixels of the large images together; one that has more is decoded when no other large one is. */
  pixels: number;
  /** Pixels that an image may have without asking for room. */
  free: number;
}

export interface ScheduleEvents {
  /** An image has its turn in a decoder; what this returns is called when it has left it. */
  onBegin(): () => void;
  /** The image is done. */
  onPixels(task: DecodeTask, answer: Extract<DecoderAnswer, { reply: object }>): void;
  onFailed(task: DecodeTask, error: ClipfleetError): void;
  /** No decoder can be started: nothing will be decoded any more. */
  onLost(error: ClipfleetError): void;
}

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

/**
 * Decides which image goes to which decoder:
 *
 * - an image to an idle decoder, else to a new one, else behind an image that will soon be done; urgent ones first;
 * - a large one when there is room for its pixels, in their order, so that none waits for ever;
 * - one whose decoder ended, alone to a new decoder;
 * - one that waits behind a slow image, back to where it came from.
 */
export function createDecodeSchedule(
  host: DecoderHost,
  { room, limits }: { room: DecodeRoom; limits: DecoderLimits },
  events: ScheduleEvents,
  now = () => performance.now(),
): DecodeSchedule {
  const waiting = createDecodeQueue<DecodeTask>();
  const large = createDecodeQueue<DecodeTask>();
  const alone = createDecodeQueue<DecodeTask>();
  const crew = createDecoderCrew(room.decoders, now);
  let taken = 0;
  let failedStarts = 0;
  let isStopped = false;
  let pause: NodeJS.Timeout | undefined;
  let looking: NodeJS.Timeout | undefined;

  const fits = ({ pixels = 0 }: DecodeTask) => taken === 0 || taken + pixels <= room.pixels;

  /** The next image that may go to a decoder now. */
  function next(): DecodeTask | undefined {
    const first = large.first();
    // One that is to be alone waits for room too, and is not overtaken.
    if (first && alone.size === 0 && fits(first)) return large.shift();
    return waiting.shift();
  }

  function feed(): void {
    if (isStopped) return;
    for (
      let task = alone.first();
      task && !pause && fits(task) && crew.hasPlaceAlone();
      task = alone.first()
    ) {
      void start(alone.shift());
    }
    for (let decoder = crew.idle(); decoder; decoder = crew.idle()) {
      const task = next();
      if (!task) break;
      give(decoder, task);
    }
    while (!pause && waiting.size > crew.coming() && crew.hasPlace()) void start();
    for (let decoder = crew.soonIdle(); decoder && waiting.size > 0; decoder = crew.soonIdle()) {
      give(decoder, waiting.shift()!);
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
    if (task) putBack(task, 'pushFront');
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
    taken += task.pixels ?? 0;
    if (decoder.line.length === 1) beginFirst(decoder);
    const { id, file, bytes, digest } = task;
    const request = { id, digest, room: task.pixels ?? room.free, ...(file && { file }) };
    void host.decode(decoder.number, request, bytes).then((answer) => answered(decoder, task, answer));
  }

  function beginFirst(decoder: Decoder): void {
    decoder.begunAt = now();
    decoder.onEnd = events.onBegin();
  }

  function answered(decoder: Decoder, task: DecodeTask, answer: DecoderAnswer): void {
    const place = decoder.line.indexOf(task);
    decoder.line.splice(place, 1);
    taken -= task.pixels ?? 0;
    if (place === 0) {
      decoder.onEnd();
      if (decoder.line.length > 0) beginFirst(decoder);
    }
    if ('ended' in answer) ended(decoder, task, answer);
    else {
      decoder.startedFor = undefined;
      replied(task, answer);
    }
    if (crew.isTooMany() && decoder.state === 'ready' && decoder.line.length === 0) {
      leave(decoder);
      host.end(decoder.number);
    }
    feed();
  }

  function replied(task: DecodeTask, answer: Extract<DecoderAnswer, { reply: object }>): void {
    const { reply } = answer;
    if ('failed' in reply) {
      events.onFailed(task, new ClipfleetError(reply.failed.code, reply.failed.message));
    } else if ('needs' in reply) {
      task.pixels = reply.needs;
      putBack(task, 'push');
    } else if ('forgotten' in reply) putBack(task, 'pushFront');
    else events.onPixels(task, answer);
  }

  function ended(
    decoder: Decoder,
    task: DecodeTask,
    { ended, begun }: { ended: Ending; begun: boolean },
  ): void {
    leave(decoder);
    if (begun) task.deaths++;
    const error = begun && afterEnding(ended, task.deaths, limits);
    if (error) events.onFailed(task, error);
    else putBack(task, begun ? 'push' : 'pushFront');
  }

  function putBack(task: DecodeTask, how: 'push' | 'pushFront'): void {
    const queue = task.deaths > 0 ? alone : task.pixels === undefined ? waiting : large;
    queue[how](task);
  }

  function leave(decoder: Decoder): void {
    decoder.state = 'gone';
    crew.remove(decoder);
  }

  /** Looks for images that are stuck behind a slow one, as long as there are any in work. */
  function look(): void {
    const isWorking = [...crew.all()].some(({ line }) => line.length > 0);
    if (!isWorking) {
      clearInterval(looking);
      looking = undefined;
    } else looking ??= setInterval(freeStuck, AHEAD_MS / 2);
  }

  function freeStuck(): void {
    for (const { number, line } of crew.stuck()) for (const { id } of line.slice(1)) host.forget(number, id);
    feed();
  }

  return {
    add(task) {
      waiting.push(task);
      feed();
    },
    takeBack: (task) => [waiting, large, alone].some((queue) => queue.remove(task)),
    gone(number) {
      const decoder = [...crew.all()].find((each) => each.number === number);
      // Where it had images, each has had its answer, which came before.
      if (!decoder || decoder.state === 'starting') return;
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
