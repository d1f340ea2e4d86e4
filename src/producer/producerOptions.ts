import type { Redis } from 'ioredis';
import type { LaneKind } from '../shared/fleet/lanes.ts';
import type { OnError } from '../shared/fleet/tellErrors.ts';
import type { LabelSet } from '../shared/labels/labelSet.ts';
import type { Thresholds } from '../shared/labels/thresholds.ts';
import type { ResultsStore } from '../shared/rows/resultsStore.ts';
import type { VectorSource } from '../shared/runs/run.ts';

export interface ProducerSettings {
  /** First part of every key; the workers' `--prefix`. */
  prefix?: string;
  /** Where the workers keep rows; Redis when absent. */
  store?: ResultsStore;
  /**
   * Told of errors of the connection that no call throws, while it is made anew: once a kind, then at most once a minute. They are warnings of the process
   * when absent.
   */
  onError?: OnError;
}

/** On a connection of the caller's own, who ends it. */
export interface ProducerOptions extends ProducerSettings {
  redis: Redis;
  url?: never;
}

/** On a connection of the producer's own, which ends with it. So also for programs that have another version of ioredis. */
export interface ProducerAddress extends ProducerSettings {
  /** As `REDIS_URL`: `redis://HOST`, `redis+sentinel://HOST:PORT/NAME`, `redis+cluster://HOST:PORT`, `unix:///PATH`. */
  url: string;
  redis?: never;
}

export interface OpenRunOptions {
  /** `name@revision:dtype`, as a worker prints it when it starts. */
  model: string;
  /** Without one the images get no predictions, only their vectors: `keepEmbeddings` says where. */
  labelSet?: LabelSet;
  /** What decides whether its answers are accepted, when they are shown. Those of a run that is continued give way to these. */
  thresholds?: Thresholds;
  /** A new id when absent; that of an earlier run continues it. */
  run?: string;
  /** The id must be nobody's: no run is continued. So it is where no id is given. */
  isNew?: boolean;
  /** `interactive` overtakes `bulk`. */
  lane?: LaneKind;
  /** Share of failed images, 0 to 1, above which the run is paused once 100 are done. */
  maxFailureRate?: number;
  /** What the images come from, in a few words for people: `clipfleet runs` shows it. */
  source?: string;
  /**
   * Keep the vector of each classified image, on disk before its row: in `root://NAME/path`, which workers reach by `--write-root`.
   * Said when the run is opened for the first time.
   */
  keepEmbeddings?: string;
  /** A new run goes after so many milliseconds, with its rows and jobs, and its label set unless others need that; it stays when absent. */
  expireAfterMs?: number;
  /** A new run whose images are labeled from the vectors of this run: their uris say which. */
  relabels?: VectorSource;
  /** Name of a queue of one's own, instead of a lane of the model. */
  privateLane?: string;
}
