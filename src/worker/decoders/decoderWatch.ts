// The watching thread of a decoder. It ends the whole process where an image goes over a limit, or where the parent is
// gone. A thread of its own, because the decoding one may be in a long loop that no timer interrupts; and inside the
// process, because CPU time and memory of a process that does one image at a time are that image's, on every system.

import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { createClock, phases } from './decoderClock.ts';
import { endSelf, removeScratch } from './decoderGroup.ts';
import type { DecoderLimits, LastWord } from './decoderMessages.ts';
import { lastWordPipe } from './decoderPipes.ts';
import { coreSecondsOf, residentMiBOf } from './processTree.ts';

export interface WatchData {
  memory: SharedArrayBuffer;
  limits: DecoderLimits;
  scratch: string;
}

/** How often it looks, and so how far an image may go over a limit. */
const LOOK_MS = 20;

const { memory, limits, scratch } = workerData as WatchData;
const clock = createClock(memory);
const parent = process.ppid;

for (;;) {
  if (!clock.sleep(LOOK_MS)) continue;
  const helper = clock.helper();
  if (helper !== undefined) clock.chargeHelper(helper, coreSecondsOf(helper) * 1_000);
  const { wallMs, cpuMs } = clock.spent();
  if (clock.phase() === phases.reading && wallMs > limits.readMs) end('read');
  if (cpuMs > limits.cpuMs) end('cpu');
  const helperBytes = helper === undefined ? 0 : residentMiBOf(helper) * 2 ** 20;
  if (process.memoryUsage.rss() + helperBytes > limits.memoryBytes) end('memory');
  // An orphan is given to another parent. While there is nothing to do, the closed pipe says so.
  if (process.ppid !== parent) {
    removeScratch(scratch);
    endSelf();
  }
}

function end(word: LastWord): void {
  try {
    writeSync(lastWordPipe, word);
  } catch {
    // Whoever is gone reads nothing, and writing to a closed pipe is no reason to live on.
  }
  endSelf();
}
