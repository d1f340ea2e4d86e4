/** What a worker counts besides stages, batches and rows: each counter has one label, whose values are all known. */
export const countedEvents = {
  jobs: {
    help: 'Deliveries of jobs, by what became of them: again spends an attempt, postponed and parked do not.',
    label: 'verdict',
    values: ['done', 'cancelled', 'gone', 'again', 'postponed', 'parked', 'refused'],
  },
  embedding_cache_requests: {
    help: 'Images that were looked for among remembered embeddings of equal files.',
    label: 'result',
    values: ['hit', 'miss'],
  },
  embedding_cache_dir_requests: {
    help: 'Images that were looked for among embeddings of equal files on disk.',
    label: 'result',
    values: ['hit', 'miss'],
  },
  label_matrices: {
    help: 'Label matrices that were not in memory, by where they came from: the fleet, or encoded here.',
    label: 'from',
    values: ['fleet', 'encoded'],
  },
  host_changes: {
    help: 'Times that the worker found a host in another state: asked for less, failing, down, or open again.',
    label: 'state',
    values: ['asked', 'failing', 'down', 'open'],
  },
  decoders_ended: {
    help: 'Decoders that ended by themselves and were replaced, with an image or at rest.',
    label: 'with',
    values: ['image', 'nothing'],
  },
} as const;

export type EventName = keyof typeof countedEvents;

/** Counts one more of something. */
export type CountEvent = <N extends EventName>(
  name: N,
  value: (typeof countedEvents)[N]['values'][number],
) => void;

export const countNothing: CountEvent = () => {};
