import cliProgress from 'cli-progress';
import { fit } from '../printable.ts';
import { columnsOf } from '../screen.ts';

const WIDE_COLUMNS = 100;
const BAR_WIDE = 28;
const BAR_NARROW = 16;

/** A bar with a text beside it, in the last line of a terminal; the text is cut to what the line holds. */
export function createBar(stream: NodeJS.WriteStream) {
  const columns = columnsOf(stream) ?? WIDE_COLUMNS;
  const barsize = columns < WIDE_COLUMNS ? BAR_NARROW : BAR_WIDE;
  const beside = (text: string) => ({ text: fit(text, (columnsOf(stream) ?? columns) - barsize - 2) });
  const bar = new cliProgress.SingleBar({
    stream,
    format: '{bar} {text}',
    barsize,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    clearOnComplete: false,
    // A terminal that does not wrap would cut off messages too. What is drawn here fits.
    linewrap: true,
    // A message may have taken the bar's line.
    forceRedraw: true,
    // The cursor must come back when the process is interrupted; the command itself handles the signals.
    gracefulExit: false,
  });
  let started = false;
  return {
    update(done: number, total: number, text: string): void {
      if (!started) bar.start(total, done, beside(text));
      started = true;
      bar.setTotal(Math.max(total, 1));
      bar.update(done, beside(text));
    },
    stop(): void {
      if (started) bar.stop();
      started = false;
    },
  };
}
