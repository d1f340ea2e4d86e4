import cliProgress from 'cli-progress';
import { createPace } from './pace.ts';

/** Where a run is. */
export interface ProgressCounts {
  /** Images that have their row. */
  done: number;
  failed: number;
  /** Images announced so far. */
  total: number;
  /** Whether the total may still grow. */
  open: boolean;
}

export interface Progress {
  update(counts: ProgressCounts): void;
  stop(): void;
}

/** Between two lines when standard error is no terminal. */
const LINE_MS = 5_000;

/**
 * A bar on a terminal, plain lines when piped; always on standard error.
 *
 * @param doneBefore rows there were before, which say nothing of the rate
 */
export function createProgress(doneBefore = 0, stream: NodeJS.WriteStream = process.stderr): Progress {
  const pace = createPace(doneBefore);

  function describe({ done, total, failed, open }: ProgressCounts): string {
    const { imagesPerSecond, secondsLeft } = pace.update({ done, total });
    const left = open || secondsLeft === undefined ? '' : `, ${formatSeconds(secondsLeft)} left`;
    const failures = failed > 0 ? `, ${failed} failed` : '';
    return `${done}/${total}${open ? '+' : ''} images${failures}, ${imagesPerSecond.toFixed(1)} images/s${left}`;
  }

  return stream.isTTY ? createBar(stream, describe) : createLines(stream, describe);
}

function createBar(stream: NodeJS.WriteStream, describe: (counts: ProgressCounts) => string): Progress {
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {text}',
    barsize: 28,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: false,
    linewrap: false,
    // The cursor must come back when the process is interrupted; the command itself handles the signals.
    gracefulExit: false,
  });
  let started = false;
  return {
    update(counts) {
      if (!started) bar.start(counts.total, counts.done, { text: describe(counts) });
      started = true;
      bar.setTotal(Math.max(counts.total, 1));
      bar.update(counts.done, { text: describe(counts) });
    },
    stop() {
      if (started) bar.stop();
    },
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

function formatSeconds(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}
