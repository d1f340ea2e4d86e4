// Carries out the plan of the log that it is given, and ends by SIGKILL after so many files.
import { readActionLog } from '../../../src/results/actions/actionLog.ts';
import { sortFiles } from '../../../src/results/sort/sortFiles.ts';
import type { SortStep } from '../../../src/results/sort/sortStep.ts';

const [log, last] = process.argv.slice(2);
await sortFiles(await readActionLog<SortStep>(log!, 'sort'), {
  onFile(files) {
    if (files > Number(last)) process.kill(process.pid, 'SIGKILL');
  },
});
