import { type Action, type ActionLog, markUndone, readActionLog } from '../../results/actions/actionLog.ts';
import type { Tally } from '../../results/actions/tally.ts';
import { ClipfleetError } from '../../shared/errors.ts';
import { exitCodes } from '../setup/exitCodes.ts';
import { onInterrupt, unlessInterrupted } from '../terminal/interrupt.ts';
import { say } from '../terminal/screen.ts';
import { counted, leftText } from './sortText.ts';

interface Watched {
  signal: AbortSignal;
}

/** Undoes what a log says, and says what was left alone. Resolves to the exit code. */
export async function undoLog<Step>(
  path: string,
  action: Action,
  undo: (log: ActionLog<Step>, watched: Watched) => Promise<{ files: number; left: Tally }>,
  { graceMs }: { graceMs: number },
): Promise<number> {
  const log = await readActionLog<Step>(path, action);
  if (log.undoneAt !== undefined)
    throw new ClipfleetError('USAGE', `${path} was undone at ${log.undoneAt}: nothing is left of it.`);
  if (!log.isWhole) {
    say(`The plan in ${path} was cut off before it began: nothing was done.`);
    return exitCodes.classified;
  }
  const interrupt = onInterrupt('ending after this file; the same command goes on.', { graceMs });
  const { signal } = interrupt;
  let code: number = exitCodes.classified;
  try {
    const ended = await unlessInterrupted(signal, async () => {
      const { files, left } = await undo(log, { signal });
      say([`${counted(files)} undone.`, ...leftText(left)].join('\n'));
      if (left.size > 0) code = exitCodes.failed;
      else await markUndone(path);
    });
    return ended ? code : exitCodes.interrupted;
  } finally {
    interrupt.stop();
  }
}
