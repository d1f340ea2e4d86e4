import { auditCommand } from './audit.ts';
import { cancelCommand } from './cancel.ts';
import { demoCommand } from './demo.ts';
import { enqueueCommand } from './enqueue.ts';
import { labelCommand } from './label.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { resultsCommand } from './results.ts';
import { retryCommand } from './retry.ts';
import { rmCommand } from './rm.ts';
import { runsCommand } from './runs.ts';
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
  runsCommand,
  pauseCommand,
  resumeCommand,
  cancelCommand,
  retryCommand,
  auditCommand,
  rmCommand,
  verifyCommand,
  tuneCommand,
  demoCommand,
];
