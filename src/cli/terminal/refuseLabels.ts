import type { LabelSet } from '../../shared/labels/labelSet.ts';
import type { Context } from '../setup/context.ts';
import { unlessInterrupted } from './interrupt.ts';
import { say } from './screen.ts';

/** For so long a wait needs no word. */
const SILENT_MS = 3_000;

/**
 * Asks a worker that serves the model whether it can encode the labels, and says where none answers. Resolves to whether that came to its end
 * before the signal.
 *
 * @throws the code with which the model refuses them
 */
export function refuseLabels(
  { producer }: Pick<Context, 'producer'>,
  labels: { model: string; labelSet: LabelSet },
  signal: AbortSignal,
): Promise<boolean> {
  return unlessInterrupted(signal, async () => {
    const timer = setTimeout(() => say('Waiting for a worker to encode the labels.'), SILENT_MS);
    const checked = await producer.checkLabels({ ...labels, signal }).finally(() => clearTimeout(timer));
    if (checked === 'unanswered')
      say(
        'No worker has answered in 30 s whether it can encode the labels: if it cannot, it pauses the run, and clipfleet status says why.',
      );
  });
}
