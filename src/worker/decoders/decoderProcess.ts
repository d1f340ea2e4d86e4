import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { releaseMemory } from '../resize/releaseMemory.ts';
import { createFrameReader, encodeFrame } from './decoderFrames.ts';
import { endGroup, removeScratch } from './decoderGroup.ts';
import type {
  DecodeRequest,
  DecoderReply,
  DecoderSetup,
  DecoderStart,
  Ending,
  LastWord,
} from './decoderMessages.ts';
import { lastWordPipe, replyPipe, requestPipe } from './decoderPipes.ts';

/** What became of a request: the decoder's reply, or how the decoder ended and whether it had begun with the image. */
export type DecoderAnswer =
  | { reply: Exclude<DecoderReply, { ready: true }>; pixels: Uint8Array<ArrayBuffer> }
  | { ended: Ending; begun: boolean };

export interface DecoderProcess {
  /** Resolves when it takes requests, to how it ended where it never does. */
  started: Promise<Ending | undefined>;
  /** One image; at most one more waits in the pipe behind it. */
  decode(request: DecodeRequest, bytes: Uint8Array | undefined): Promise<DecoderAnswer>;
  /** Takes a request back, unless the decoder has begun with it. */
  forget(id: number): void;
  /** Ends it at once; resolves when it is gone. */
  end(): Promise<void>;
  /** Resolves when it is gone, however that came. */
  ended: Promise<Ending>;
}

/** On the wall an image may take so many times its CPU time, before its decoder is taken to hang. */
export const WALL_TIMES = 4;
/** Of a new process: a machine that cannot start Node within it has other troubles. */
const START_MS = 60_000;
/** Of a cached embedding, which may be longer than the pixels of a small model: 16,384 numbers. */
const VECTOR_BYTES_MAX = 65_536;

/**
 * Collecting garbage on helper threads costs a decoder more CPU time than it saves: its heap is small, its pixels lie outside
 * of it, and the other cores have decoders of their own. It asks for a collection itself after a large image.
 */
const nodeFlags = ['--single-threaded-gc', '--expose-gc'];

/**
 * What a decoder finds in its environment: where libraries and programs lie and how text is written. No address, key or
 * token: its images come from strangers.
 */
const environmentNames =
  /^(PATH|HOME|USERPROFILE|TMPDIR|TEMP|TMP|SystemRoot|windir|LANG|LC_\w+|LD_LIBRARY_PATH|DYLD_\w+|MALLOC_\w+|VIPS_\w+)$/i;

/** The part of an environment that a decoder gets. */
export function decoderEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // One thread of libuv's decodes; the second is for the file system while the first is in use.
  const kept = Object.entries(env).filter(([name]) => environmentNames.test(name));
  return { ...Object.fromEntries(kept), UV_THREADPOOL_SIZE: '2' };
}

/**
 * Starts a decoder. It ends with its parent, also in the middle of an image, and a program that it runs with it: they are a
 * process group of their own. Ctrl-C in a terminal does not reach it, so that images in work are finished.
 */
export function startDecoder(setup: DecoderSetup, program: string): DecoderProcess {
  const start: DecoderStart = { ...setup, scratch: join(tmpdir(), `clipfleet-decoder-${randomUUID()}`) };
  const child = spawn(process.execPath, [...nodeFlags, program], {
    env: decoderEnvironment(process.env),
    stdio: ['pipe', 'ignore', 'inherit', 'pipe', 'pipe'],
    windowsHide: true,
    detached: process.platform !== 'win32',
  });
  // child.kill() does nothing once it is gone, when its number may be another's.
  const end = () => (child.pid !== undefined && endGroup(child.pid)) || child.kill('SIGKILL');
  const pipes = pipesOf(child);
  /** In the order in which they are answered. */
  const asked: { id: number; resolve: (answer: DecoderAnswer) => void }[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isOverdue = false;
  let lastWord = '';
  let isReady = (_: Ending | undefined): void => {};
  const started = new Promise<Ending | undefined>((resolve) => {
    isReady = resolve;
  });

  function restartClock(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      isOverdue = true;
      end();
    }, ms);
  }

  function take(reply: DecoderReply, pixels: Uint8Array<ArrayBuffer>): void {
    if ('ready' in reply) isReady(undefined);
    else {
      const place = asked.findIndex(({ id }) => id === reply.id);
      // A reply that nobody asked for is of a decoder that is not to be trusted any more.
      if (place < 0) throw new Error(`Expected a reply to ${asked[0]?.id ?? 'nothing'}, got ${reply.id}.`);
      const [{ resolve }] = asked.splice(place, 1) as [(typeof asked)[0]];
      resolve({ reply, pixels });
      if (place > 0) return;
    }
    if (asked.length > 0) restartClock(WALL_TIMES * setup.limits.cpuMs + setup.limits.readMs);
    else clearTimeout(timer);
  }

  const { width, height } = setup.preprocessing;
  const read = createFrameReader<DecoderReply>(Math.max(width * height * 3, VECTOR_BYTES_MAX), take);
  pipes.replies.on('data', (piece: Buffer) => {
    try {
      read(piece);
      releaseMemory(piece);
    } catch {
      child.kill('SIGABRT');
    }
  });
  pipes.lastWord.setEncoding('utf8').on('data', (word: string) => {
    lastWord += word;
  });
  const ended = new Promise<Ending>((resolve) => {
    const gone = (how: string, signal: NodeJS.Signals | null) => {
      clearTimeout(timer);
      const ending = endingOf(how, signal, lastWord, isOverdue);
      asked.splice(0).forEach((one, place) => {
        one.resolve({ ended: ending, begun: place === 0 });
      });
      isReady(ending);
      resolve(ending);
    };
    child.once('error', (error) => gone(error.message, null));
    child.once('exit', () => {
      // However it went, what it had running is to go too.
      end();
      removeScratch(start.scratch);
    });
    // Not 'exit': what it has said is still in the pipes.
    child.once('close', (code, signal) => gone(signal ? `signal ${signal}` : `exit code ${code}`, signal));
  });
  restartClock(START_MS);
  for (const part of encodeFrame(start)) pipes.requests.write(part);

  return {
    started,
    ended,
    decode: (request, bytes) =>
      new Promise((resolve) => {
        asked.push({ id: request.id, resolve });
        if (asked.length === 1) restartClock(WALL_TIMES * setup.limits.cpuMs + setup.limits.readMs);
        for (const part of encodeFrame(request, bytes)) pipes.requests.write(part);
      }),
    forget(id) {
      for (const part of encodeFrame({ forget: id })) pipes.requests.write(part);
    },
    async end() {
      end();
      await ended;
    },
  };
}

function pipesOf(child: ChildProcess): { requests: Writable; replies: Readable; lastWord: Readable } {
  const [requests, replies, lastWord] = [requestPipe, replyPipe, lastWordPipe].map((fd) => child.stdio[fd]);
  // A decoder that is gone closes them; how it went is what counts.
  for (const pipe of [requests, replies, lastWord]) pipe?.on('error', () => {});
  return { requests: requests as Writable, replies: replies as Readable, lastWord: lastWord as Readable };
}

function endingOf(how: string, signal: NodeJS.Signals | null, lastWord: string, isOverdue: boolean): Ending {
  if (lastWord === 'cpu' || lastWord === 'memory' || lastWord === 'read')
    return { why: lastWord satisfies LastWord, how };
  if (isOverdue) return { why: 'wall', how };
  return { why: signal === 'SIGKILL' || signal === 'SIGTERM' ? 'killed' : 'crash', how };
}
