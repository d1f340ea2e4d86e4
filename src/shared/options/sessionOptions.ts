import { z } from 'zod';
import { userCacheFolder } from '../files/userFolders.ts';
import { choice, integer, option, real, text } from './option.ts';

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
    says: 'Model on the Hugging Face Hub (owner/name), or a directory: a checkpoint of a CLIP or SigLIP, or an ONNX export.',
  }),
  revision: option({
    flag: 'revision',
    env: 'CLIPFLEET_REVISION',
    value: 'REVISION',
    schema: text,
    default: 'main',
    says: 'Branch, tag or commit of a model on the Hub.',
  }),
  dtype: option({
    flag: 'dtype',
    env: 'CLIPFLEET_DTYPE',
    value: 'DTYPE',
    schema: choice('fp32', 'fp16', 'q8', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4').optional(),
    defaultSays: 'fp32, but on a GPU a checkpoint in float16 as it is stored',
    says: 'Precision of an export, and of a checkpoint on a GPU (fp32 or fp16; the CPU computes in float32). With q8, int8 and uint8 the scores of an image depend slightly on its batch.',
  }),
  device: option({
    flag: 'device',
    env: 'CLIPFLEET_DEVICE',
    value: 'DEVICE',
    schema: device,
    default: 'auto',
    says: 'Where the model runs: auto (a GPU by CUDA on Linux or DirectML on Windows, else the CPU), cpu, cuda, tensorrt, webgpu, coreml or dml. cuda:1 is the second GPU. A device that is named but not available is an error.',
  }),
  threads: option({
    flag: 'threads',
    env: 'CLIPFLEET_THREADS',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    defaultSays: 'what tune saved, else the cores available',
    says: 'CPU threads of the session.',
  }),
  cacheDir: option({
    flag: 'cache-dir',
    env: 'CLIPFLEET_CACHE_DIR',
    value: 'DIR',
    schema: text,
    default: userCacheFolder,
    defaultSays: 'clipfleet in XDG_CACHE_HOME or ~/.cache',
    says: 'Folder for the settings that tune found, and for logit scales read from the Hub.',
  }),
  logitScale: option({
    flag: 'logit-scale',
    env: 'CLIPFLEET_LOGIT_SCALE',
    value: 'SCALE',
    schema: real(1e-6, 1e6).optional(),
    defaultSays: 'from the model’s files or its checkpoint',
    says: 'Factor from cosines to logits, for a model whose files do not contain it. It is never guessed.',
  }),
  logitBias: option({
    flag: 'logit-bias',
    env: 'CLIPFLEET_LOGIT_BIAS',
    value: 'BIAS',
    schema: real(-1e6, 1e6).optional(),
    defaultSays: '0 beside a given logit scale of a CLIP',
    says: 'Added to the logits, for a SigLIP whose files do not contain it.',
  }),
  batchSize: option({
    flag: 'batch-size',
    env: 'CLIPFLEET_BATCH_SIZE',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    defaultSays: 'what tune saved, else 16 on a CPU and 64 on a GPU',
    says: 'Most images in one batch.',
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
    says: 'Most images in the worker at once. Use 6 × the batch size for slow sources.',
  }),
  decoders: option({
    flag: 'decoders',
    env: 'CLIPFLEET_DECODERS',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    defaultSays: 'what tune saved, else the cores available, divided by --processes',
    says: 'Processes that decode images, one at a time each, of every worker process; started when there is something to decode.',
  }),
  seconds: option({
    flag: 'seconds',
    env: 'CLIPFLEET_TUNE_SECONDS',
    value: 'S',
    schema: integer(2, 86_400),
    default: '60',
    says: 'How long tune measures, approximately.',
  }),
} as const;

/** A worker among others. */
export const fleetOptions = {
  devices: option({
    flag: 'devices',
    env: 'CLIPFLEET_DEVICES',
    value: 'DEVICE,…',
    schema: z.preprocess(splitAtCommas, z.array(sessionOptions.device.schema)).optional(),
    says: 'Run one worker process for each of these devices, and restart it when it ends.',
  }),
  processes: option({
    flag: 'processes',
    env: 'CLIPFLEET_PROCESSES',
    value: 'N',
    schema: integer(1, 1_024).optional(),
    says: 'Run this many worker processes on one device, and restart them when they end.',
  }),
  lockMs: option({
    flag: 'lock-ms',
    env: 'CLIPFLEET_LOCK_MS',
    value: 'MS',
    schema: integer(1_000, 3_600_000),
    default: '30000',
    says: 'How long a worker that died keeps its jobs locked. Then another worker takes them.',
  }),
  newerGraceMs: option({
    flag: 'newer-grace-ms',
    env: 'CLIPFLEET_NEWER_GRACE_MS',
    value: 'MS',
    schema: integer(0, 30 * 24 * 3_600_000),
    default: String(24 * 3_600_000),
    says: 'How long to postpone a job of a newer wire version before it fails.',
  }),
  healthPort: option({
    flag: 'health-port',
    env: 'CLIPFLEET_HEALTH_PORT',
    value: 'PORT',
    schema: integer(0, 65_535).optional(),
    says: 'Answer /health, /ready and /metrics (Prometheus) over HTTP at this port; 0 takes a free one. Of several processes, each takes the next port.',
  }),
  healthHost: option({
    flag: 'health-host',
    env: 'CLIPFLEET_HEALTH_HOST',
    value: 'ADDRESS',
    schema: text,
    default: '127.0.0.1',
    says: 'Address at which --health-port listens. 0.0.0.0 is reached from other machines; nobody is asked for a password.',
  }),
  logEveryMs: option({
    flag: 'log-every-ms',
    env: 'CLIPFLEET_LOG_EVERY_MS',
    value: 'MS',
    schema: integer(100, 3_600_000),
    default: '10000',
    says: 'How often a worker logs its images per second, stage times, batch fill and bottleneck.',
  }),
} as const;

function splitAtCommas(value: unknown): unknown {
  return typeof value === 'string' ? value.split(',') : value;
}
