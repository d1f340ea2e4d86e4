import { ClipfleetError } from '../../shared/errors.ts';
import type { ImageRef } from '../../shared/refs/imageRef.ts';
import { say } from './screen.ts';

/** The source of a run from its beginning, once more; undefined where it cannot be read twice. */
export type SourceAgain = (() => AsyncIterable<ImageRef>) | undefined;

/** How often images that Redis lost are added once more: a Redis that loses them again and again has other troubles. */
const TIMES_MAX = 3;

/**
 * What a command does about images that Redis has lost: says so, and gives the source once more, of which only those are added.
 *
 * @throws RUN_LOST where the source cannot be read again, or after three times
 */
export function createLossRepair(run: string, again: SourceAgain) {
  let times = 0;
  return (missing: number): AsyncIterable<ImageRef> => {
    const lost = `Redis has lost ${missing} of the images that were added: it was restarted without the end of its log`;
    if (!again || ++times > TIMES_MAX) {
      const message = `${lost}. The same command with --run ${run} adds them.`;
      throw new ClipfleetError('RUN_LOST', message);
    }
    say(`${lost}. They are added again.`);
    return again();
  };
}
