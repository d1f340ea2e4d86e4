import type { Command } from 'commander';

/**
 * Every command, in the order of the help text. Each is loaded by itself: `status` needs no decoder and no runtime of
 * models, which take memory and most of a second.
 */
const loaders: Record<string, () => Promise<Command>> = {
  label: async () => (await import('./commands/label.ts')).labelCommand,
  enqueue: async () => (await import('./commands/enqueue.ts')).enqueueCommand,
  worker: async () => (await import('./commands/worker.ts')).workerCommand,
  status: async () => (await import('./commands/status.ts')).statusCommand,
  results: async () => (await import('./commands/results.ts')).resultsCommand,
  runs: async () => (await import('./commands/runs.ts')).runsCommand,
  pause: async () => (await import('./commands/pause.ts')).pauseCommand,
  resume: async () => (await import('./commands/pause.ts')).resumeCommand,
  cancel: async () => (await import('./commands/cancel.ts')).cancelCommand,
  retry: async () => (await import('./commands/retry.ts')).retryCommand,
  audit: async () => (await import('./commands/audit.ts')).auditCommand,
  rm: async () => (await import('./commands/rm.ts')).rmCommand,
  verify: async () => (await import('./commands/verify.ts')).verifyCommand,
  tune: async () => (await import('./commands/tune.ts')).tuneCommand,
  demo: async () => (await import('./commands/demo.ts')).demoCommand,
};

/** The command of that name alone, or all of them where there is none, as for the help. */
export function loadCommands(name?: string): Promise<Command[]> {
  const load = name === undefined || !Object.hasOwn(loaders, name) ? undefined : loaders[name];
  return Promise.all(load ? [load()] : Object.values(loaders).map((each) => each()));
}
