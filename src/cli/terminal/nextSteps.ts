import type { RunProgress } from '../../producer/runs/runProgress.ts';
import { accountText } from './accountText.ts';
import { alignColumns } from './printable.ts';
import { say } from './screen.ts';

/** Says on standard error which run this was, how it stands, and the commands that go on from here. */
export function sayNext(run: string, progress: RunProgress): void {
  const steps = [[`  clipfleet results ${run}`, 'its rows, from any folder']];
  if (!progress.ended)
    steps.push([`  the same command with --run ${run}`, 'goes on with the images that have no row']);
  if (progress.failed > 0) {
    steps.push([`  clipfleet retry ${run}`, 'then the same command with --run: tries failed images again']);
  }
  say(`Run ${run}: ${accountText(progress)}\n${alignColumns(steps)}`);
}
