#!/usr/bin/env node
import { inspect } from 'node:util';
import { Command } from 'commander';
import { version } from '../shared/version.ts';
import { withoutSecrets } from '../shared/withoutSecrets.ts';
import { loadCommands } from './commands.ts';
import { exitCodes } from './setup/exitCodes.ts';
import { knownError } from './setup/knownError.ts';
import { leaveThreads, mustLeave } from './setup/leave.ts';
import { printable } from './terminal/printable.ts';
import { sayShownPassword } from './terminal/sayShownPassword.ts';

const program = new Command('clipfleet')
  .description('Label images in bulk with CLIP.')
  .version(version)
  .showHelpAfterError('Run with --help for the options.')
  .addHelpText(
    'after',
    `
Examples:
  $ clipfleet label pictures --labels "fox,bear,owl"
  $ clipfleet demo

Exit codes: 0 all images classified, 1 could not run, 2 ran to the end with
failed images, 130 interrupted. Each flag has an environment variable, named
beside it; see docs/configuration.md.`,
  );
// `clipfleet help status` needs the options of status, as `clipfleet status --help` does.
const [first, second] = process.argv.slice(2);
const named = first === 'help' ? second : first;
program.hook('preAction', (_, command) => sayShownPassword(command.opts()));
for (const command of await loadCommands(named === undefined ? [] : [named])) program.addCommand(command);

// A reader that has seen enough (`| head`) closes the pipe: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.classified);
  throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodes.couldNotRun;
  const { code, message } = knownError(error);
  const lines = message.split('\n').map(printable);
  process.stderr.write(`clipfleet: ${code}: ${lines.join('\n  ')}\n`);
  if (isDebugging()) process.stderr.write(`${withoutSecrets(inspect(error))}\n`);
  // A thread that hangs, or a job, would keep the process.
  if (code === 'SESSION_LOST' || mustLeave()) await leaveThreads(exitCodes.couldNotRun);
} finally {
  // A command at its end reads nothing more: a pipe that stays open would keep the process waiting.
  process.stdin.destroy();
}

/** The settings may be what the error is about, so they are not asked. */
function isDebugging(): boolean {
  const flag = process.argv.lastIndexOf('--log-level');
  const level = flag > 0 ? process.argv[flag + 1] : process.env.LOG_LEVEL;
  return level === 'debug' || process.argv.includes('--log-level=debug');
}
