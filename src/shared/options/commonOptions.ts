import { z } from 'zod';
import { userStateFolder } from '../files/userFolders.ts';
import { choice, integer, onOff, option, text } from './option.ts';

/** Where Redis is, and what is kept where. */
export const redisOptions = {
  redisUrl: option({
    flag: 'redis-url',
    env: 'REDIS_URL',
    value: 'URL',
    schema: text
      .regex(
        /^(rediss?(\+sentinel|\+cluster)?:\/\/|unix:\/\/\/[^?#]+$)/,
        'Expected a URL that starts with redis:// or rediss://, with +sentinel or +cluster before the colon, or unix:///path/of/socket',
      )
      .optional(),
    secret: true,
    says: 'Redis server, unix:///path of its socket, redis+sentinel://HOST:PORT/NAME or redis+cluster://HOST:PORT, several HOST:PORT with commas between. rediss is TLS. Without it, commands start a Redis server of their own and stop it when they end. Others on the machine see a flag in the list of processes: give a password by the variable.',
  }),
  redisSentinelPassword: option({
    flag: 'redis-sentinel-password',
    env: 'REDIS_SENTINEL_PASSWORD',
    value: 'TEXT',
    schema: text.optional(),
    secret: true,
    says: 'Password of the sentinels, where they ask for one. Others on the machine see a flag: give it by the variable.',
  }),
  redisTimeoutMs: option({
    flag: 'redis-timeout-ms',
    env: 'CLIPFLEET_REDIS_TIMEOUT_MS',
    value: 'MS',
    schema: integer(100, 3_600_000),
    default: '5000',
    says: 'How long Redis may leave a command without an answer; then the connection is made anew and the command sent again.',
  }),
  prefix: option({
    flag: 'prefix',
    env: 'CLIPFLEET_PREFIX',
    value: 'TEXT',
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'Expected 1 to 64 letters, digits, - and _'),
    default: 'clipfleet',
    says: 'First part of every Redis key, so that several fleets can share one server.',
  }),
  store: option({
    flag: 'store',
    env: 'CLIPFLEET_STORE',
    value: 'URL',
    schema: text.regex(/^postgres(ql)?:\/\//, 'Expected a URL that starts with postgres://').optional(),
    defaultSays: 'Redis, beside the queue',
    says: 'Where rows are kept: postgres://HOST/DATABASE. The variable and PGPASSFILE keep a password out of the list of processes.',
  }),
  dataDir: option({
    flag: 'data-dir',
    env: 'CLIPFLEET_DATA_DIR',
    value: 'DIR',
    schema: text,
    default: userStateFolder,
    defaultSays: '.clipfleet where it is here already, else clipfleet in XDG_STATE_HOME or ~/.local/state',
    says: 'Folder of the Redis server that commands start themselves. It keeps runs and rows.',
  }),
  logLevel: option({
    flag: 'log-level',
    env: 'LOG_LEVEL',
    value: 'LEVEL',
    schema: choice('debug', 'info', 'warn', 'error', 'silent'),
    default: 'info',
    says: 'Least severe log message written to standard error: debug, info, warn, error or silent.',
  }),
} as const;

/** How a command ends that was told to. */
export const endOptions = {
  graceMs: option({
    flag: 'grace-ms',
    env: 'CLIPFLEET_GRACE_MS',
    value: 'MS',
    schema: integer(100, 3_600_000),
    default: '25000',
    says: 'How long a command may go on after SIGTERM or Ctrl-C, whatever it waits for. A worker gives its jobs back at four fifths of it. Kubernetes kills after 30 s.',
  }),
} as const;

/** What is printed. */
export const outputOptions = {
  watch: option({
    flag: 'watch',
    env: 'CLIPFLEET_WATCH',
    schema: onOff,
    default: 'false',
    says: 'Show progress until the run ends; the workers, until Ctrl-C.',
  }),
  output: option({
    flag: 'output',
    short: 'o',
    env: 'CLIPFLEET_OUTPUT',
    value: 'FILE',
    schema: text.optional(),
    says: 'Write the rows here, or the report. The suffix names the format of rows: .jsonl, .csv, .parquet, .label-studio, .fiftyone, .hf or .npy. - is standard output.',
  }),
  force: option({
    flag: 'force',
    env: 'CLIPFLEET_FORCE',
    schema: onOff,
    default: 'false',
    says: 'Overwrite an output file that holds something else than rows.',
  }),
  table: option({
    flag: 'table',
    env: 'CLIPFLEET_TABLE',
    schema: onOff,
    default: 'false',
    says: 'Show the best labels of each image, also of more than 20 images: at most 50.',
  }),
  format: option({
    flag: 'format',
    env: 'CLIPFLEET_FORMAT',
    value: 'FORMAT',
    schema: choice('table', 'jsonl', 'csv', 'parquet', 'label-studio', 'fiftyone', 'hf', 'npy').optional(),
    defaultSays: 'table; of export the suffix of --output',
    says: 'table for people, jsonl for programs. The other formats, and jsonl, are those of export.',
  }),
} as const;
