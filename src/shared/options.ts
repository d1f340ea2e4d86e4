import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { CHUNK_IMAGES_MAX, runIdSchema } from './chunkJob.ts';

/**
 * One setting: its flag, its environment variable, its unit, bounds and default, and a sentence. Help texts, the
 * reading of flags and environment, and docs/configuration.md are all made from this table.
 */
export interface Option<T> {
  flag: string;
  env: string;
  /** What stands for the value in help texts; absent for a switch. */
  value?: string;
  schema: z.ZodType<T>;
  /** Text of the default, as the user would type it; a function where the machine decides. */
  default?: string | (() => string);
  /** How the default is written in the documentation where the machine decides. */
  defaultSays?: string;
  repeat?: true;
  says: string;
}

const option = <T>(definition: Option<T>) => definition;

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'Expected a whole number')
    .transform(Number)
    .pipe(z.int().min(min, `Expected at least ${min}`).max(max, `Expected at most ${max}`));

const real = (min: number, max: number) =>
  z
    .string()
    .regex(/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i, 'Expected a number')
    .transform(Number)
    .pipe(z.number().min(min, `Expected at least ${min}`).max(max, `Expected at most ${max}`));

const text = z.string().min(1, 'Expected a text that is not empty');
const list = z.array(text);
const choice = <const T extends string>(...values: T[]) =>
  z.enum(values, { error: `Expected one of ${values.join(', ')}` });
const flag = z.boolean();

export const options = {
  // Where Redis is, and what is kept where.
  redisUrl: option({
    flag: 'redis-url',
    env: 'REDIS_URL',
    value: 'URL',
    schema: text.regex(/^rediss?:\/\//, 'Expected a URL that starts with redis:// or rediss://').optional(),
    says: 'Redis server. Without it, commands on one machine start a server of their own, for as long as they run.',
  }),
  prefix: option({
    flag: 'prefix',
    env: 'CLIPFLEET_PREFIX',
    value: 'TEXT',
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Expected 1 to 64 letters, digits, - and _'),
    default: 'clipfleet',
    says: 'First part of every Redis key, so that several fleets can share one server.',
  }),
  dataDir: option({
    flag: 'data-dir',
    env: 'CLIPFLEET_DATA_DIR',
    value: 'DIR',
    schema: text,
    default: '.clipfleet',
    says: 'Folder of the Redis server that commands start themselves; its log keeps runs and rows.',
  }),
  logLevel: option({
    flag: 'log-level',
    env: 'LOG_LEVEL',
    value: 'LEVEL',
    schema: choice('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    says: 'How much is logged to standard error: debug, info, warn, error or silent.',
  }),

  // The model.
  model: option({
    flag: 'model',
    env: 'CLIPFLEET_MODEL',
    value: 'MODEL',
    schema: text,
    default: 'models/demo',
    says: 'Model directory in the layout of the Hub’s ONNX exports.',
  }),
  dtype: option({
    flag: 'dtype',
    env: 'CLIPFLEET_DTYPE',
    value: 'DTYPE',
    schema: choice('fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'),
    default: 'fp32',
    says: 'Which of the model’s graphs to run, by the precision of their weights.',
  }),
  device: option({
    flag: 'device',
    env: 'CLIPFLEET_DEVICE',
    value: 'DEVICE',
    schema: choice('cpu', 'cuda'),
    default: 'cpu',
    says: 'Where the session runs. cuda needs CUDA’s libraries and does not fall back to the processor.',
  }),
  threads: option({
    flag: 'threads',
    env: 'CLIPFLEET_THREADS',
    value: 'N',
    schema: integer(1, 1_024),
    default: () => String(availableParallelism()),
    defaultSays: 'the cores available',
    says: 'Threads of the session on the processor.',
  }),
  batchSize: option({
    flag: 'batch-size',
    env: 'CLIPFLEET_BATCH_SIZE',
    value: 'N',
    schema: integer(1, 1_024),
    default: '16',
    says: 'Most images that go through the session together.',
  }),
  imagesInFlight: option({
    flag: 'images-in-flight',
    env: 'CLIPFLEET_IMAGES_IN_FLIGHT',
    value: 'N',
    schema: integer(1, 65_536).optional(),
    defaultSays: '3 × the batch size',
    says: 'Most images between fetch and prediction at once; 6 × the batch size for slow sources.',
  }),
  decodeThreads: option({
    flag: 'decode-threads',
    env: 'CLIPFLEET_DECODE_THREADS',
    value: 'N',
    schema: integer(1, 1_024),
    default: () => String(Math.max(2, availableParallelism())),
    defaultSays: 'the cores available, at least 2',
    says: 'Images decoded at the same time. Above 4, set UV_THREADPOOL_SIZE to at least as many before the start.',
  }),

  // Labels.
  labels: option({
    flag: 'labels',
    env: 'CLIPFLEET_LABELS',
    value: 'LIST',
    schema: text.optional(),
    says: 'Labels, separated by commas; one that holds a comma stands in double quotes.',
  }),
  labelsFile: option({
    flag: 'labels-file',
    env: 'CLIPFLEET_LABELS_FILE',
    value: 'FILE',
    schema: text.optional(),
    says: 'Labels from a file: one a line, a JSON array, a JSON object of label to prompts, or CSV.',
  }),
  template: option({
    flag: 'template',
    env: 'CLIPFLEET_TEMPLATE',
    value: 'TEXT',
    schema: list.optional(),
    repeat: true,
    defaultSays: 'This is a photo of {}.',
    says: 'Prompt with {} where the label goes; given again, the prompts of a label are averaged.',
  }),
  topK: option({
    flag: 'top-k',
    env: 'CLIPFLEET_TOP_K',
    value: 'K',
    schema: integer(1, 100_000).optional(),
    defaultSays: 'all labels',
    says: 'Most predictions a row keeps, best first.',
  }),
  threshold: option({
    flag: 'threshold',
    env: 'CLIPFLEET_THRESHOLD',
    value: 'SCORE',
    schema: real(-1e9, 1e9).optional(),
    says: 'Predictions below this score are left out of the row.',
  }),
  scoreFunction: option({
    flag: 'score-function',
    env: 'CLIPFLEET_SCORE_FUNCTION',
    value: 'NAME',
    schema: choice('softmax', 'sigmoid', 'cosine', 'logit').optional(),
    defaultSays: 'the model’s own',
    says: 'How scores are made: softmax, sigmoid, cosine or logit.',
  }),
  temperature: option({
    flag: 'temperature',
    env: 'CLIPFLEET_TEMPERATURE',
    value: 'T',
    schema: real(1e-6, 1e6).optional(),
    defaultSays: '1',
    says: 'Divides the logits before the score function: above 1 evens the scores out.',
  }),

  // Runs.
  run: option({
    flag: 'run',
    env: 'CLIPFLEET_RUN',
    value: 'ID',
    schema: runIdSchema.optional(),
    defaultSays: 'a new id',
    says: 'Id of the run; that of an earlier run continues it with what has no row yet.',
  }),
  chunkSize: option({
    flag: 'chunk-size',
    env: 'CLIPFLEET_CHUNK_SIZE',
    value: 'N',
    schema: integer(1, CHUNK_IMAGES_MAX),
    default: '32',
    says: 'Images a job carries.',
  }),
  highWater: option({
    flag: 'high-water',
    env: 'CLIPFLEET_HIGH_WATER',
    value: 'N',
    schema: integer(1, 100_000_000),
    default: '100000',
    says: 'Images of the run that may wait in Redis; the producer pauses above it.',
  }),
  attempts: option({
    flag: 'attempts',
    env: 'CLIPFLEET_ATTEMPTS',
    value: 'N',
    schema: integer(1, 100),
    default: '3',
    says: 'How often an image is tried when the error may pass.',
  }),

  // Reading images.
  root: option({
    flag: 'root',
    env: 'CLIPFLEET_ROOT',
    value: '[NAME=]DIR',
    schema: list.optional(),
    repeat: true,
    defaultSays: 'the working directory',
    says: 'Folder whose files may be read; with a name, refs reach it as root://NAME/path.',
  }),
  imageBytesMax: option({
    flag: 'image-bytes-max',
    env: 'CLIPFLEET_IMAGE_BYTES_MAX',
    value: 'BYTES',
    schema: integer(1, 2 ** 31 - 1),
    default: String(64 * 1024 * 1024),
    says: 'Largest image file that is read.',
  }),
  imagePixelsMax: option({
    flag: 'image-pixels-max',
    env: 'CLIPFLEET_IMAGE_PIXELS_MAX',
    value: 'PIXELS',
    schema: integer(1, 1_000_000_000),
    default: '100000000',
    says: 'Largest image that is decoded, width × height.',
  }),
  fetchTimeoutMs: option({
    flag: 'fetch-timeout-ms',
    env: 'CLIPFLEET_FETCH_TIMEOUT_MS',
    value: 'MS',
    schema: integer(1, 3_600_000),
    default: '30000',
    says: 'Time for all bytes of one image to arrive.',
  }),
  decodeTimeoutMs: option({
    flag: 'decode-timeout-ms',
    env: 'CLIPFLEET_DECODE_TIMEOUT_MS',
    value: 'MS',
    schema: integer(1_000, 3_600_000),
    default: '30000',
    says: 'Time for one image to be decoded.',
  }),
  redirectsMax: option({
    flag: 'redirects-max',
    env: 'CLIPFLEET_REDIRECTS_MAX',
    value: 'N',
    schema: integer(0, 50),
    default: '5',
    says: 'Redirects followed from an image’s URL.',
  }),
  allowPrivateAddresses: option({
    flag: 'allow-private-addresses',
    env: 'CLIPFLEET_ALLOW_PRIVATE_ADDRESSES',
    schema: flag,
    default: 'false',
    says: 'Read image URLs that lead to private, loopback or link-local addresses too.',
  }),

  // A worker among others.
  lockMs: option({
    flag: 'lock-ms',
    env: 'CLIPFLEET_LOCK_MS',
    value: 'MS',
    schema: integer(1_000, 3_600_000),
    default: '30000',
    says: 'How long a job stays with a worker that no longer renews it; then another takes it.',
  }),
  stalledMax: option({
    flag: 'stalled-max',
    env: 'CLIPFLEET_STALLED_MAX',
    value: 'N',
    schema: integer(0, 100),
    default: '2',
    says: 'How often a job may lose its worker before its images are failed with WORKER_LOST.',
  }),
  newerGraceMs: option({
    flag: 'newer-grace-ms',
    env: 'CLIPFLEET_NEWER_GRACE_MS',
    value: 'MS',
    schema: integer(0, 30 * 24 * 3_600_000),
    default: String(24 * 3_600_000),
    says: 'How long a job of a newer wire version goes back to the lane before it fails.',
  }),

  // What is printed.
  output: option({
    flag: 'output',
    env: 'CLIPFLEET_OUTPUT',
    value: 'FILE',
    schema: text.optional(),
    says: 'Write the rows to this file as JSON lines; - is standard output.',
  }),
  format: option({
    flag: 'format',
    env: 'CLIPFLEET_FORMAT',
    value: 'FORMAT',
    schema: choice('table', 'jsonl'),
    default: 'table',
    says: 'table for reading, jsonl for programs.',
  }),
} as const;

export type OptionName = keyof typeof options;
