#!/usr/bin/env node
// Sets the size of libuv's thread pool, then starts the command line.
//
// libuv reads UV_THREADPOOL_SIZE once, when its pool is first used, and Node's loader of ES modules uses it: any of them
// would come too late. So this file is CommonJS and imports nothing before it has set the variable.
const os: typeof import('node:os') = require('node:os');

/**
 * Threads besides the decoders': each step of reading a file takes one for a moment, and a name look-up for as long as the
 * name server needs. 4 are what Node has for everything together.
 */
const READERS = 4;
const POOL_MAX = 1_024;

process.env.UV_THREADPOOL_SIZE ||= String(poolSize());
void import('./main.ts');

function poolSize(): number {
  // Not more than is asked for, else the most that `clipfleet tune` tries; an idle thread costs next to nothing.
  const decoders = Number(decodeThreadsGiven()) || 4 * os.availableParallelism();
  return Math.min(Math.max(decoders, 2) + READERS, POOL_MAX);
}

/** As the option of this name will be read; what is no number is refused later, with a message. */
function decodeThreadsGiven(): string | undefined {
  const flag = '--decode-threads';
  const place = process.argv.findLastIndex(
    (argument) => argument === flag || argument.startsWith(`${flag}=`),
  );
  if (place < 0) return process.env.CLIPFLEET_DECODE_THREADS;
  return process.argv[place] === flag ? process.argv[place + 1] : process.argv[place]!.slice(flag.length + 1);
}
