import type { RunProgress } from '../../../producer/runs/runProgress.ts';
import { printable } from '../printable.ts';
import { createBar } from './bar.ts';
import { createPace } from './pace.ts';

/** Where a run is, and what holds its workers up where that is known; `none` where no worker serves its model. */
export type ProgressCounts = Pick<
  RunProgress,
  'done' | 'expected' | 'active' | 'failed' | 'failures' | 'state' | 'paused' | 'retrying'
> & { bottleneck?: string | undefined };

export interface Progress {
  update(counts: ProgressCounts): void;
  stop(): void;
}

/** Error codes named beside the bar. */
const CODES_SHOWN = 3;

/** Between two lines when standard error is no terminal. */
const LINE_MS = 5_000;

/** When nothing was done for so long, the rate of the last minute says nothing of when the rest is. */
const STILL_MS = 5_000;

/**
 * A bar on a terminal, plain lines when piped; always on standard error.
 *
 * @param doneBefore rows there were before, which say nothing of the rate
 */
export function createProgress(doneBefore = 0, stream: NodeJS.WriteStream = process.stderr): Progress {
  const pace = createPace(doneBefore);
  let last = { done: doneBefore, at: Date.now() };

  function describe(counts: ProgressCounts): string {
    const { done, expected, state, paused, retrying } = counts;
    const open = state === 'open';
    if (done !== last.done) last = { done, at: Date.now() };
    const stillMs = done < expected ? Date.now() - last.at : 0;
    const { imagesPerSecond, secondsLeft } = pace.update({ done, total: expected });
    const parts = [`${done}/${expected}${open ? '+' : ''} images`];
    if (retrying > 0) parts.push(`${retrying} tried again`);
    parts.push(`${imagesPerSecond.toFixed(1)} images/s`);
    if (paused !== undefined) parts.push(`paused: ${printable(paused)}`);
    else if (done < expected || open) {
      if (stillMs >= STILL_MS) parts.push(`nothing for ${formatSeconds(stillMs / 1_000)}`);
      else if (!open && secondsLeft !== undefined) parts.push(`${formatSeconds(secondsLeft)} left`);
      parts.push(done < expected ? holdUpOf(counts, stillMs) : '');
    }
    // Last, because it grows: a terminal cuts off what does not fit.
    parts.push(failuresOf(counts));
    return parts.filter((part) => part !== '').join(', ');
  }

  return stream.isTTY ? createBarProgress(stream, describe) : createLines(stream, describe);
}

function createBarProgress(
  stream: NodeJS.WriteStream,
  describe: (counts: ProgressCounts) => string,
): Progress {
  const bar = createBar(stream);
  return {
    update: (counts) => bar.update(counts.done, counts.expected, describe(counts)),
    stop: bar.stop,
  };
}

function createLines(stream: NodeJS.WriteStream, describe: (counts: ProgressCounts) => string): Progress {
  let saidAt = Date.now();
  let last: ProgressCounts | undefined;
  return {
    update(counts) {
      last = counts;
      if (Date.now() - saidAt < LINE_MS) return;
      saidAt = Date.now();
      stream.write(`${describe(counts)}\n`);
    },
    stop() {
      if (last) stream.write(`${describe(last)}\n`);
    },
  };
}

/** How many failed, and with which codes, the most frequent first. */
function failuresOf({ failed, failures }: Pick<ProgressCounts, 'failed' | 'failures'>): string {
  if (failed === 0) return '';
  const codes = Object.entries(failures).sort(([, a], [, b]) => b - a);
  const named = codes.slice(0, CODES_SHOWN).map(([code, images]) => `${code} ${images}`);
  const more = codes.length > CODES_SHOWN ? ', ...' : '';
  return `${failed} failed (${named.join(', ')}${more})`;
}

/**
 * What the run waits for. Workers say so every ten seconds, so that what they were `idle` for may be over. Idle workers that hold
 * images wait for no other attempt: their decoders start, say.
 */
function holdUpOf({ bottleneck, state, active }: ProgressCounts, stillMs: number): string {
  if (bottleneck === undefined) return '';
  if (bottleneck === 'none') return 'no worker serves its model';
  if (bottleneck !== 'idle') return `limited by ${bottleneck}`;
  if (stillMs < STILL_MS) return '';
  if (active > 0) return `${active} active`;
  return state !== 'open' ? 'waiting for hosts or another attempt' : '';
}

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
