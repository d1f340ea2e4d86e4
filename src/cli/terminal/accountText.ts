import type { RunProgress } from '../../producer/runs/runProgress.ts';
import { noLabelSet } from '../../shared/rows/row.ts';

/** The account of a run in a line: what there is none of is left out. */
export function accountText(progress: RunProgress): string {
  const done = progress.labelSet === noLabelSet ? 'embedded' : 'classified';
  const { expected, waiting, active, classified, failed, skipped, duplicates, retrying } = progress;
  const parts = Object.entries({ [done]: classified, failed, active, waiting, skipped, retrying })
    .filter(([, images]) => images > 0)
    .map(([name, images]) => `${images} ${name === 'retrying' ? 'tried again' : name}`);
  const twice = duplicates > 0 ? `; ${duplicates} more came twice` : '';
  return `${expected} ${expected === 1 ? 'image' : 'images'}: ${parts.join(', ') || 'none'}${twice}`;
}
