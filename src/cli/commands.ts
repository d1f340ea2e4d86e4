import type { Command } from 'commander';

/**
 * Every command, in the order of the help text. Each is loaded by itself: `status` needs no decoder and no runtime of
 * models, which take memory and most of a second.
 */
const loaders: Record<string, () => Promise<Command>> = {
  label: async () => (await import('./label.ts')).labelCommand,
  enqueue: async () => (await import('./enqueue.ts')).enqueueCommand,
  worker: async () => (await import('./worker.ts')).workerCommand,
  status: async () => (await import('./status.ts')).statusCommand,
  results: async () => (await import('./results.ts')).resultsCommand,
  runs: async () => (await import('./runs.ts')).runsCommand,
  pause: async () => (await import('./pause.ts')).pauseCommand,
  resume: async () => (await import('./pause.ts')).resumeCommand,
  cancel: async () => (await import('./cancel.ts')).cancelCommand,
  retry: async () => (await import('./retry.ts')).retryCommand,
  audit: async () => (await import('./audit.ts')).auditCommand,
  rm: async () => (await import('./rm.ts')).rmCommand,
  verify: async () => (await import('./verify.ts')).verifyCommand,
  tune: async () => (await import('./tune.ts')).tuneCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
};

/** The command of that name alone, or all of them where there is none, as for the help. */
export function loadCommands(name?: string): Promise<Command[]> {
  const load = name === undefined || !Object.hasOwn(loaders, name) ? undefined : loaders[name];
  return Promise.all(load ? [load()] : Object.values(loaders).map((each) => each()));
}
