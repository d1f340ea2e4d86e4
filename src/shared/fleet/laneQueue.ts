import { type BackendFactory, createRedisBackend, type JobJson, Queue, type RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { ClipfleetError } from '../errors.ts';
import { jsonIn } from '../jsonIn.ts';
import { isWrongType } from '../redis/wrongType.ts';
import { laneEventsMax } from './lanes.ts';

export interface LaneQueueOptions {
  redis: Redis;
  prefix: string;
  /** Told of the connection's errors, each time; BullMQ would print them where nobody listens. */
  onError: (error: Error) => void;
}

/** A lane, as those who add its jobs and look after them have it. To be closed. */
export function openLaneQueue(name: string, { redis, prefix, onError }: LaneQueueOptions): Queue {
  const how = { connection: redis, prefix, streams: { events: { maxLen: laneEventsMax } } };
  const queue = new Queue(name, how, readEveryJob(redis));
  queue.on('error', onError);
  return queue;
}

/** BullMQ's scripts whose answer may hold the next job: its fields and their values in turns. */
const GIVING_JOBS: readonly unknown[] = ['moveToActive', 'moveToFinished'];

/**
 * BullMQ's way to Redis, which reads every job, whatever somebody else wrote into it.
 *
 * BullMQ itself throws at a field that is no JSON. A worker then holds the job without knowing which it is: nobody renews its lock, and it
 * comes again and again. Here such data comes as the text that it is, which no chunk is, and goes the way of all jobs that are no chunk.
 *
 * Of a job's options only the number of attempts is its producer's. How to wait between them and whether a job stays when it has ended
 * is the worker's to say: one that left when it failed would leave its images without rows. Links to other jobs are not followed.
 */
export function readEveryJob(redis: Redis): BackendFactory<RedisQueueBackend> {
  return (...how) => {
    const backend = createRedisBackend(...how);
    const exec = backend.execCommand.bind(backend);
    backend.execCommand = (client, command, args) => {
      const answer: unknown = exec(client, command, args);
      if (!GIVING_JOBS.includes(command)) return answer;
      const unlink = (id: unknown) => redis.hdel(backend.toKey(String(id)), ...LINKS);
      return Promise.resolve(answer)
        .catch((error) => dropForeign(redis, backend, error))
        .then((given) => readable(given, unlink));
    };
    const read = backend.getJobData.bind(backend);
    backend.getJobData = async (id) => {
      try {
        const job = await read(id);
        return job && { ...job, data: jsonOr(job.data), opts: ownOptions(job.opts) };
      } catch (error) {
        if (isWrongType(error)) return undefined;
        if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
        return jobOf(id, await redis.hgetall(backend.toKey(id)));
      }
    };
    return backend;
  };
}

/**
 * A job whose key holds another type cannot be given to anybody: BullMQ takes it, and fails without a word of which it is. It leaves the
 * lane, so that it does not come again, and is named; what it stood for is pending without a job, which an audit takes back.
 */
async function dropForeign(redis: Redis, backend: RedisQueueBackend, error: unknown): Promise<never> {
  if (!isWrongType(error)) throw error;
  const active = backend.toKey('active');
  const dropped: string[] = [];
  for (const id of await redis.lrange(active, 0, -1)) {
    const type = await redis.type(backend.toKey(id));
    if (type === 'hash' || type === 'none' || (await redis.lrem(active, 0, id)) === 0) continue;
    dropped.push(`'${id}' (${type})`);
  }
  if (dropped.length === 0) throw error;
  const message = `Expected a hash under the key of each job, got another type under ${dropped.join(', ')}: taken out of the lane. clipfleet audit takes back what was in it.`;
  throw new ClipfleetError('JOB_INVALID', message, { cause: error });
}

/** What links a job to others. The script that finishes it would read them, and fail where they are no JSON. */
const LINKS = ['parent', 'parentKey', 'rjk'];

/** The answer of a script, with the job in it made readable. */
async function readable(answer: unknown, unlink: (id: unknown) => Promise<unknown>): Promise<unknown> {
  if (!Array.isArray(answer) || !Array.isArray(answer[0])) return answer;
  const [given, ...rest] = answer as [string[], ...unknown[]];
  const fields: Record<string, string> = {};
  for (let i = 0; i < given.length; i += 2) fields[given[i]!] = given[i + 1]!;
  if (LINKS.some((link) => link in fields)) await unlink(rest[0]);
  for (const link of LINKS) delete fields[link];
  const { data, opts, progress, ...others } = fields;
  const mended = { ...others, data: jsonOr(data), opts: JSON.stringify(ownOptions(jsonIn(opts))) };
  const turns = Object.entries({ ...mended, progress: JSON.stringify(jsonIn(progress) ?? 0) }).flat();
  return [turns, ...rest];
}

/** A job that BullMQ cannot read, from its fields in Redis. */
function jobOf(id: string, fields: Record<string, string>): JobJson {
  const number = (name: string) => Number.parseInt(fields[name] ?? '', 10) || 0;
  return {
    id,
    name: fields.name ?? '',
    data: jsonOr(fields.data),
    opts: ownOptions(jsonIn(fields.opts)),
    progress: 0,
    attemptsMade: number('atm'),
    attemptsStarted: number('ats'),
    stalledCounter: number('stc'),
    timestamp: number('timestamp'),
    finishedOn: number('finishedOn'),
    failedReason: fields.failedReason ?? '',
    returnvalue: 'null',
  };
}

function ownOptions(given: unknown): { attempts: number; backoff: { type: 'custom' } } {
  const attempts = (given as { attempts?: unknown } | null | undefined)?.attempts;
  return { attempts: typeof attempts === 'number' ? attempts : 1, backoff: { type: 'custom' } };
}

/** The text where it is JSON, else JSON of the text. */
function jsonOr(text = '{}'): string {
  return jsonIn(text) === undefined ? JSON.stringify(text) : text;
}
