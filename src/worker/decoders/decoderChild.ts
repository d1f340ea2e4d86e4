// A decoder: a process that makes pixels of one image at a time, so that an image which breaks its decoder, takes for ever
// or takes all memory harms nobody else. It reads local files itself, and has neither network nor secrets.

import { createHash } from 'node:crypto';
import { writeFileSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { asClipfleetError } from '../../shared/errors.ts';
import { decodeImage } from '../decode/decode.ts';
import { HelperKilled } from '../decode/helperProgram.ts';
import { releaseMemory } from '../resize/releaseMemory.ts';
import { readCached } from '../vectorCache/cachedVector.ts';
import { clockMemory, createClock } from './decoderClock.ts';
import { createFrameReader, encodeFrame } from './decoderFrames.ts';
import { endSelf, removeScratch } from './decoderGroup.ts';
import type { DecodeRequest, DecoderReply, DecoderStart, ForgetRequest } from './decoderMessages.ts';
import { replyPipe } from './decoderPipes.ts';
import type { WatchData } from './decoderWatch.ts';
import { readFileUri } from './localFile.ts';

/** Of -1,000 to 1,000: when the machine is out of memory, the kernel takes a decoder before the worker. */
const OOM_SCORE = '500';

interface Waiting {
  request: DecodeRequest;
  bytes: Uint8Array;
}

const memory = clockMemory();
const clock = createClock(memory);
/** Those whose turn has not come: one, as a rule. */
const line: Waiting[] = [];
let setup: DecoderStart | undefined;
let isBusy = false;

try {
  writeFileSync('/proc/self/oom_score_adj', OOM_SCORE);
} catch {
  // Only Linux has it.
}

process.stdin.on(
  'data',
  createFrameReader<DecoderStart | DecodeRequest | ForgetRequest>(2 ** 32 - 1, (frame, bytes) => {
    if ('preprocessing' in frame) begin(frame);
    else if ('forget' in frame) forget(frame.forget);
    else {
      line.push({ request: frame, bytes });
      if (!isBusy) void work();
    }
  }),
);
// The parent has closed the pipe, or is gone.
for (const event of ['end', 'error', 'close']) process.stdin.on(event, leave);

function begin(given: DecoderStart): void {
  setup = given;
  const watch: WatchData = { memory, limits: given.limits, scratch: given.scratch };
  new Worker(new URL('./decoderWatch.js', import.meta.url), { workerData: watch, execArgv: [] });
  say({ ready: true });
}

function forget(id: number): void {
  const place = line.findIndex(({ request }) => request.id === id);
  if (place < 0) return;
  line.splice(place, 1);
  say({ id, forgotten: true });
}

async function work(): Promise<void> {
  isBusy = true;
  for (let next = line.shift(); next; next = line.shift()) {
    clock.begin();
    await decode(next, setup!);
    clock.end();
    // Its pixels would stay until the next image has as many.
    if (next.request.isLarge) global.gc?.();
  }
  isBusy = false;
}

async function decode({ request, bytes }: Waiting, given: DecoderStart): Promise<void> {
  const { preprocessing, decoding, files, scratch, vectorCache } = given;
  const { id, file, room, digest } = request;
  let needs: number | undefined;
  function admit(claim: number): void {
    if (claim <= room) return;
    needs = claim;
    throw new Error('There is no room for it yet.');
  }
  const helper = { folder: scratch, onRun: clock.setHelper };
  try {
    const found = file ? readFileUri(file.uri, { ...files, roots: new Map(files.roots) }, file.range) : bytes;
    clock.read();
    const hash = digest ? { digest: createHash('sha256').update(found).digest('base64') } : undefined;
    const cached = hash && vectorCache && readCached(vectorCache, hash.digest);
    if (cached) return say({ id, embedded: true }, cached);
    const { data, width, height } = await decodeImage(found, preprocessing, { ...decoding, admit, helper });
    say({ id, width, height, ...hash }, data);
    releaseMemory(data);
    releaseMemory(found);
  } catch (thrown) {
    if (needs !== undefined) return say({ id, needs });
    if (thrown instanceof HelperKilled) dieAs(thrown.signal);
    const { code, message } = asClipfleetError(thrown, 'INTERNAL');
    const told = code === 'INTERNAL' && thrown instanceof Error ? thrown.stack! : message;
    say({ id, failed: { code, message: told } });
  }
}

/** Written at once: nothing else is to be done until the parent has it. */
function say(reply: DecoderReply, body?: Uint8Array): void {
  try {
    for (const part of encodeFrame(reply, body)) {
      for (let at = 0; at < part.length; ) at += writeSync(replyPipe, part, at);
    }
  } catch {
    // Nobody reads: the parent is gone.
    leave();
  }
}

/** The program that decodes for a decoder is part of it: where it dies, the image is tried alone, or has its code. */
function dieAs(signal: NodeJS.Signals): never {
  process.kill(process.pid, signal);
  process.abort();
}

/** Not process.exit(), which waits for the image being decoded. */
function leave(): void {
  if (setup) removeScratch(setup.scratch);
  endSelf();
}
