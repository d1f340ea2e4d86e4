// The watching thread of a decoder. It ends the whole process where an image goes over a limit, or where the parent is
// gone. A thread of its own, because the decoding one may be in a long loop that no timer interrupts; and inside the
// process, because CPU time and memory of a process that does one image at a time are that image's, on every system.

import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { createClock, phases } from './decoderClock.ts';
import type { DecoderLimits, LastWord } from './decoderMessages.ts';
import { lastWordPipe } from './decoderPipes.ts';

export interface WatchData {
  memory: SharedArrayBuffer;
  limits: DecoderLimits;
}

/** How often it looks, and so how far an image may go over a limit. */
const LOOK_MS = 20;

const { memory, limits } = workerData as WatchData;
const clock = createClock(memory);
const parent = process.ppid;

for (;;) {
  if (!clock.sleep(LOOK_MS)) continue;
  const { wallMs, cpuMs } = clock.spent();
  if (clock.phase() === phases.reading && wallMs > limits.readMs) end('read');
  if (cpuMs > limits.cpuMs) end('cpu');
  if (process.memoryUsage.rss() > limits.memoryBytes) end('memory');
  // An orphan is given to another parent. While there is nothing to do, the closed pipe says so.
  if (process.ppid !== parent) end(undefined);
}

function end(word: LastWord | undefined): void {
  // Whoever is gone reads nothing, and writing to a closed pipe is no reason to live on.
  if (word !== undefined) {
    try {
      writeSync(lastWordPipe, word);
    } catch {}
  }
  process.kill(process.pid, 'SIGKILL');
}
