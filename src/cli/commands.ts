import { demoCommand } from './demo.ts';
import { enqueueCommand } from './enqueue.ts';
import { labelCommand } from './label.ts';
import { resultsCommand } from './results.ts';
import { statusCommand } from './status.ts';
import { tuneCommand } from './tune.ts';
import { verifyCommand } from './verify.ts';
import { workerCommand } from './worker.ts';

/** Every command, in the order of the help text. */
export const commands = [
  labelCommand,
  enqueueCommand,
  workerCommand,
  statusCommand,
  resultsCommand,
  verifyCommand,
  tuneCommand,
  demoCommand,
];
