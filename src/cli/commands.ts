import { Command } from 'commander';

/** A command as the help of the whole lists it, and where the rest of it is. */
interface ListedCommand {
  /** As commander writes it: `<run>`, `[paths...]`. */
  arguments?: string;
  summary: string;
  /** Loads what gives the command its options and what it does. */
  load: () => Promise<(command: Command) => void>;
}

/**
 * Every command, in the order of the help text. Each is loaded by itself: `status` needs no decoder and no runtime of
 * models, which take memory and most of a second, and the list of commands needs none of them.
 */
const commands: Record<string, ListedCommand> = {
  label: {
    arguments: '<paths...>',
    summary: 'Label images on this machine, from files, folders, lists, archives and URLs.',
    load: async () => (await import('./commands/label.ts')).labelCommand,
  },
  embed: {
    arguments: '<paths...>',
    summary: 'Keep the vectors of images, without labels, for search, clustering and relabel.',
    load: async () => (await import('./commands/embed.ts')).embedCommand,
  },
  enqueue: {
    arguments: '<paths...>',
    summary:
      'Add images to a run, for workers to label. Prints the run id and ends when all images are added.',
    load: async () => (await import('./commands/enqueue.ts')).enqueueCommand,
  },
  worker: {
    summary: 'Label images from the queue with one model until stopped.',
    load: async () => (await import('./commands/worker.ts')).workerCommand,
  },
  serve: {
    summary: 'Serve an HTTP API and a page: runs, results and single images.',
    load: async () => (await import('./commands/serve.ts')).serveCommand,
  },
  key: {
    arguments: '<name>',
    summary: 'Make an API key for the HTTP gateway. Prints it once.',
    load: async () => (await import('./commands/key.ts')).keyCommand,
  },
  status: {
    arguments: '<run>',
    summary: 'Show a run’s progress and its workers.',
    load: async () => (await import('./commands/status.ts')).statusCommand,
  },
  workers: {
    summary: 'List the workers: model, device, speed, what each does, its last batch and last error.',
    load: async () => (await import('./commands/workers.ts')).workersCommand,
  },
  results: {
    arguments: '<run>',
    summary: 'Print the rows of a run, also while it is in progress.',
    load: async () => (await import('./commands/results.ts')).resultsCommand,
  },
  export: {
    arguments: '<run>',
    summary: 'Write the rows of a run to a file that other tools read: CSV, Parquet, Label Studio, FiftyOne.',
    load: async () => (await import('./commands/export.ts')).exportCommand,
  },
  report: {
    arguments: '<run>',
    summary: 'Write what a run says as one HTML page to look at: labels, scores, pictures, failures.',
    load: async () => (await import('./files/report.ts')).reportCommand,
  },
  sort: {
    arguments: '[run]',
    summary:
      'Sort the labeled files of a run into a folder for each label, by link, copy or move. Can be undone.',
    load: async () => (await import('./files/sort.ts')).sortCommand,
  },
  tag: {
    arguments: '[run]',
    summary:
      'Write the labels of a run beside the files, as XMP or text. Merges with what is there. Can be undone.',
    load: async () => (await import('./files/tag.ts')).tagCommand,
  },
  relabel: {
    arguments: '<run>',
    summary: 'Label the images of a run anew with other labels, from its kept vectors alone.',
    load: async () => (await import('./commands/relabel.ts')).relabelCommand,
  },
  runs: {
    summary: 'List the runs, newest first.',
    load: async () => (await import('./commands/runs.ts')).runsCommand,
  },
  pause: {
    arguments: '<run>',
    summary: 'Pause a run.',
    load: async () => (await import('./commands/pause.ts')).pauseCommand,
  },
  resume: {
    arguments: '<run>',
    summary: 'Resume a paused run.',
    load: async () => (await import('./commands/pause.ts')).resumeCommand,
  },
  cancel: {
    arguments: '<run>',
    summary: 'Cancel a run. Images that have no row are skipped.',
    load: async () => (await import('./commands/cancel.ts')).cancelCommand,
  },
  retry: {
    arguments: '<run>',
    summary: 'Try the failed images of a run again. New rows replace the failed ones.',
    load: async () => (await import('./commands/retry.ts')).retryCommand,
  },
  audit: {
    arguments: '<run>',
    summary: 'Recount a run from its rows, report differences, and repair its counts.',
    load: async () => (await import('./commands/audit.ts')).auditCommand,
  },
  rm: {
    arguments: '<run>',
    summary: 'Remove a completed or cancelled run and its rows.',
    load: async () => (await import('./commands/rm.ts')).rmCommand,
  },
  verify: {
    summary: 'Check that a model gives correct and consistent results on this machine.',
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  },
  tune: {
    summary: 'Find and save the fastest batch size and threads for a model on this machine.',
    load: async () => (await import('./commands/tune.ts')).tuneCommand,
  },
  doctor: {
    summary: 'Look at Redis, the model, devices and this machine, and say what is not well and what to do.',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand,
  },
  demo: {
    summary: 'Label the example pictures with the bundled model, in three runs with three label sets.',
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  },
};

/** The names of all commands. */
export const commandNames = Object.keys(commands);

/** All commands in their order. Only those named are loaded; the others are there for the list, without options. */
export function loadCommands(loaded: readonly string[]): Promise<Command[]> {
  const listed = Object.entries(commands).map(async ([name, { arguments: args, summary, load }]) => {
    const command = new Command(name).summary(summary).description(summary);
    if (args) command.arguments(args);
    if (loaded.includes(name)) (await load())(command);
    return command;
  });
  return Promise.all(listed);
}
