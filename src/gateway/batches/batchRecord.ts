import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { ClipfleetError } from '../../shared/errors.ts';
import type { Keys } from '../../shared/redis/keys.ts';
import { together } from '../../shared/together.ts';

/** What was asked for, and does not change. Names and units are those of OpenAI's API: times are seconds since 1970. */
export interface BatchAsked {
  id: string;
  endpoint: string;
  input_file_id: string;
  completion_window: string;
  metadata: Record<string, string> | null;
  created_at: number;
  expires_at: number;
  /** How long its output and error files stay, where that was said. */
  output_kept_s?: number | undefined;
}

/** The moments of a batch: each is said once, and which were said is its status. */
const moments = [
  'in_progress_at',
  'finalizing_at',
  'completed_at',
  'failed_at',
  'expired_at',
  'cancelling_at',
  'cancelled_at',
] as const;
export type Moment = (typeof moments)[number];

/** The last status whose moment was said, the most final first. */
const statuses = [
  ['cancelled_at', 'cancelled'],
  ['failed_at', 'failed'],
  ['expired_at', 'expired'],
  ['completed_at', 'completed'],
  ['cancelling_at', 'cancelling'],
  ['finalizing_at', 'finalizing'],
  ['in_progress_at', 'in_progress'],
] as const satisfies [Moment, string][];
export type BatchStatus = (typeof statuses)[number][1] | 'validating';

export interface BatchFault {
  code: string;
  message: string;
  line: number | null;
}

export interface Batch extends BatchAsked {
  status: BatchStatus;
  at: Partial<Record<Moment, number>>;
  total: number;
  completed: number;
  failed: number;
  output_file_id?: string | undefined;
  error_file_id?: string | undefined;
  /** Why it failed. */
  errors?: BatchFault[] | undefined;
  /** Windows whose lines are all written. */
  windows: ReadonlySet<number>;
}

export interface BatchRecords {
  create(asked: Omit<BatchAsked, 'id'>): Promise<Batch>;
  /** @throws BATCH_UNKNOWN */
  get(id: string): Promise<Batch>;
  /** All there are, the newest first. */
  list(): Promise<Batch[]>;
  /** Those that have not ended. */
  underWay(): Promise<string[]>;
  /** Says a moment; what was said first stays. */
  say(id: string, moment: Moment): Promise<void>;
  tell(
    id: string,
    facts: Partial<Pick<Batch, 'total' | 'output_file_id' | 'error_file_id' | 'errors'>>,
  ): Promise<void>;
  /** Says how the lines of a window came out, which are written. */
  done(id: string, window: number, counts: { completed: number; failed: number }): Promise<void>;
  /** Nothing more is to be done for it. */
  close(id: string): Promise<void>;
  /** The identity of the model that the batch means by a name: what the first that asked was told. */
  model(id: string, asked: string, choose: () => Promise<string>): Promise<string>;
}

export const hasEnded = ({ status }: Batch) =>
  status === 'completed' || status === 'failed' || status === 'expired' || status === 'cancelled';

/** Of a batch that is asked for by no id of any. */
const idForm = /^batch_[0-9a-f]{24}$/;

/** @param keptMs how long a batch is known */
export function createBatchRecords(redis: Redis, keys: Keys, keptMs: number): BatchRecords {
  const now = () => Math.floor(Date.now() / 1_000);

  async function find(id: string): Promise<Batch | undefined> {
    const record = idForm.test(id) ? await redis.hgetall(keys.batch(id)) : {};
    return record.asked === undefined ? undefined : decode(record);
  }

  return {
    async create(asked) {
      const id = `batch_${randomBytes(12).toString('hex')}`;
      const batch: BatchAsked = { id, ...asked };
      await redis
        .multi()
        .hset(keys.batch(id), 'asked', JSON.stringify(batch))
        .pexpire(keys.batch(id), keptMs)
        .exec();
      await redis.zadd(keys.batches(), Date.now(), id);
      await redis.sadd(keys.batchesUnderWay(), id);
      return decode({ asked: JSON.stringify(batch) });
    },

    async get(id) {
      const batch = await find(id);
      if (batch) return batch;
      const message = `Expected the id of a batch, got ${JSON.stringify(id.slice(0, 100))}.`;
      throw new ClipfleetError('BATCH_UNKNOWN', message);
    },

    async list() {
      await redis.zremrangebyscore(keys.batches(), 0, Date.now() - keptMs);
      const found = await together(await redis.zrevrange(keys.batches(), 0, -1), find);
      return found.filter((batch) => batch !== undefined);
    },

    underWay: () => redis.smembers(keys.batchesUnderWay()),

    async say(id, moment) {
      await redis.hsetnx(keys.batch(id), moment, now());
    },

    async tell(id, facts) {
      const fields = Object.entries(facts).filter(([, value]) => value !== undefined);
      const said = fields.map(([name, value]) => [
        name,
        typeof value === 'object' ? JSON.stringify(value) : value,
      ]);
      if (said.length > 0) await redis.hset(keys.batch(id), Object.fromEntries(said));
    },

    async done(id, window, { completed, failed }) {
      await redis.hset(keys.batch(id), `window:${window}`, `${completed} ${failed}`);
    },

    async close(id) {
      await redis.srem(keys.batchesUnderWay(), id);
    },

    async model(id, asked, choose) {
      const field = `model:${asked}`;
      const known = await redis.hget(keys.batch(id), field);
      if (known !== null) return known;
      const chosen = await choose();
      await redis.hsetnx(keys.batch(id), field, chosen);
      return (await redis.hget(keys.batch(id), field)) ?? chosen;
    },
  };
}

function decode(record: Record<string, string>): Batch {
  const at = Object.fromEntries(
    moments.flatMap((moment) => (record[moment] === undefined ? [] : [[moment, Number(record[moment])]])),
  ) as Batch['at'];
  const windows = new Set<number>();
  let [completed, failed] = [0, 0];
  for (const [field, value] of Object.entries(record)) {
    const window = /^window:(\d+)$/.exec(field)?.[1];
    if (window === undefined) continue;
    windows.add(Number(window));
    const [ok = 0, bad = 0] = value.split(' ').map(Number);
    completed += ok;
    failed += bad;
  }
  return {
    ...(JSON.parse(record.asked!) as BatchAsked),
    status: statuses.find(([moment]) => at[moment] !== undefined)?.[1] ?? 'validating',
    at,
    total: Number(record.total ?? 0),
    completed,
    failed,
    output_file_id: record.output_file_id,
    error_file_id: record.error_file_id,
    errors: record.errors === undefined ? undefined : (JSON.parse(record.errors) as BatchFault[]),
    windows,
  };
}
