import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { choice, integer, option, real, text } from './option.ts';

export function defaultCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'clipfleet');
}

/** A device, and which one of several. */
const device = text.regex(
  /^(auto|cpu|webgpu|coreml|(cuda|tensorrt|dml)(:\d{1,2})?)$/,
  'Expected auto, cpu, cuda, tensorrt, webgpu, coreml or dml, or a number after one of several, as in cuda:1',
);

/** The model, and how it is run. */
export const sessionOptions = {
  model: option({
    flag: 'model',
    env: 'CLIPFLEET_MODEL',
    value: 'MODEL',
    schema: text,
    default: 'Xenova/clip-vit-base-patch32',
    says: 'Model of the Hub (owner/name), or a directory, in the layout of the Hub’s ONNX exports.',
  }),
  revision: option({
    flag: 'revision',
    env: 'CLIPFLEET_REVISION',
    value: 'REVISION',
    schema: text,
    default: 'main',
    says: 'Branch, tag or commit of a model of the Hub.',
  }),
  dtype: option({
    flag: 'dtype',
    env: 'CLIPFLEET_DTYPE',
    value: 'DTYPE',
    schema: choice('fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4'),
    default: 'fp32',
    says: 'Which of the model’s graphs to run, by the precision of their weights. Of q8, int8 and uint8 an image’s scores depend a little on the batch it is in.',
  }),
  device: option({
    flag: 'device',
    env: 'CLIPFLEET_DEVICE',
    value: 'DEVICE',
    schema: device,
    default: 'auto',
    says: 'Where the session runs: auto (a GPU that is there, CUDA’s on Linux or DirectML’s on Windows, else the processor), cpu, cuda, tensorrt, webgpu, coreml or dml; of several, cuda:1 is the second. One that is named and not there refuses to start.',
  }),
  threads: option({
    flag: 'threads',
    env: 'CLIPFLEET_THREADS',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    defaultSays: 'what tune saved, else the cores available',
    says: 'Threads of the session on the processor.',
  }),
  cacheDir: option({
    flag: 'cache-dir',
    env: 'CLIPFLEET_CACHE_DIR',
    value: 'DIR',
    schema: text,
    default: defaultCacheDir,
    defaultSays: 'clipfleet in XDG_CACHE_HOME or ~/.cache',
    says: 'Folder of what this machine works out once: graphs made ready for the session, settings found by tune.',
  }),
  logitScale: option({
    flag: 'logit-scale',
    env: 'CLIPFLEET_LOGIT_SCALE',
    value: 'SCALE',
    schema: real(1e-6, 1e6).optional(),
    defaultSays: 'from the model’s files or its checkpoint',
    says: 'What cosines are multiplied by, for a model whose files do not tell; never guessed.',
  }),
  logitBias: option({
    flag: 'logit-bias',
    env: 'CLIPFLEET_LOGIT_BIAS',
    value: 'BIAS',
    schema: real(-1e6, 1e6).optional(),
    defaultSays: '0 beside a given logit scale of a CLIP',
    says: 'What is added to the logits, for a SigLIP whose files do not tell.',
  }),
  batchSize: option({
    flag: 'batch-size',
    env: 'CLIPFLEET_BATCH_SIZE',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    defaultSays: 'what tune saved, else 16 on the processor and 64 on a GPU',
    says: 'Most images that go through the session together.',
  }),
  inferenceTimeoutMs: option({
    flag: 'inference-timeout-ms',
    env: 'CLIPFLEET_INFERENCE_TIMEOUT_MS',
    value: 'MS',
    schema: integer(100, 24 * 3_600_000).optional(),
    defaultSays: '20 × what the first batch took, at least a minute',
    says: 'How long the session or the scoring thread may take for one batch; then it counts as hung, and the process ends with code 1.',
  }),
  imagesInFlight: option({
    flag: 'images-in-flight',
    env: 'CLIPFLEET_IMAGES_IN_FLIGHT',
    value: 'N',
    schema: integer(1, 65_536).optional(),
    defaultSays: '3 × the batch size',
    says: 'Most images between fetch and prediction at once; 6 × the batch size for slow sources.',
  }),
  embeddingCache: option({
    flag: 'embedding-cache',
    env: 'CLIPFLEET_EMBEDDING_CACHE',
    value: 'N',
    schema: integer(0, 100_000_000),
    default: '0',
    says: 'Images whose embedding a worker remembers by their content, so that equal files are embedded once; some 2 to 4 kB each.',
  }),
  decodeThreads: option({
    flag: 'decode-threads',
    env: 'CLIPFLEET_DECODE_THREADS',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    defaultSays: 'what tune saved, else 2 × the cores available, and 2 more',
    says: 'Images decoded at the same time. UV_THREADPOOL_SIZE, where it is set, should be at least as many.',
  }),
  seconds: option({
    flag: 'seconds',
    env: 'CLIPFLEET_TUNE_SECONDS',
    value: 'S',
    schema: integer(2, 86_400),
    default: '60',
    says: 'About how long tune measures.',
  }),
} as const;

/** A worker among others. */
export const fleetOptions = {
  devices: option({
    flag: 'devices',
    env: 'CLIPFLEET_DEVICES',
    value: 'DEVICE,…',
    schema: z.preprocess(splitAtCommas, z.array(sessionOptions.device.schema)).optional(),
    says: 'One worker process for each of these devices, started again when it ends.',
  }),
  processes: option({
    flag: 'processes',
    env: 'CLIPFLEET_PROCESSES',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    says: 'As many worker processes on the one device, started again when they end.',
  }),
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
  logEveryMs: option({
    flag: 'log-every-ms',
    env: 'CLIPFLEET_LOG_EVERY_MS',
    value: 'MS',
    schema: integer(100, 3_600_000),
    default: '10000',
    says: 'How often a worker says what it did: images a second, stage times, batch fill, bottleneck.',
  }),
} as const;

function splitAtCommas(value: unknown): unknown {
  return typeof value === 'string' ? value.split(',') : value;
}
