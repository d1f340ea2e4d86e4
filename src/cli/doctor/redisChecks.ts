import type { Redis } from 'ioredis';
import type { Producer } from '../../producer/producer.ts';
import { laneName } from '../../shared/fleet/lanes.ts';
import { listModels } from '../../shared/fleet/models.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { persistenceWarning, readPersistence } from '../../shared/redis/persistence.ts';
import { type Finding, fault, ok, warning } from './finding.ts';

/** Pings that are timed, one after the other. */
const PINGS = 20;
/** From this share of its memory on, Redis should be looked after: a full one refuses jobs and rows. */
const FULL_SHARE = 0.8;
/** Times of rows, logs and runs are compared by people; nothing here compares the two clocks. */
const CLOCK_MAX_MS = 1_000;

/** What a Redis says of itself. A connection has refused by now what nothing can work with. */
export async function redisFindings(redis: Redis, timeoutMs: number): Promise<Finding[]> {
  const info = await redis.info();
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1];
  return [
    serverOf(field),
    ok('policy', `maxmemory-policy ${field('maxmemory_policy') ?? 'is not said'}`),
    ...(await persistenceOf(redis, field)),
    await latencyOf(redis, timeoutMs),
    await clockOf(redis),
  ];
}

type Field = (name: string) => string | undefined;

function serverOf(field: Field): Finding {
  const valkey = field('valkey_version');
  const server = valkey ? `Valkey ${valkey}` : `Redis ${field('redis_version')}`;
  const replicas = Number(field('connected_slaves') ?? 0);
  const mode = field('redis_mode') ?? 'standalone';
  const days = Math.floor(Number(field('uptime_in_seconds') ?? 0) / 86_400);
  const kept = replicas === 1 ? '1 replica' : `${replicas} replicas`;
  return ok('server', `${server}, ${mode}, primary with ${kept}, up ${days} days`);
}

async function persistenceOf(redis: Redis, field: Field): Promise<Finding[]> {
  const kept = await readPersistence(redis);
  const why = persistenceWarning(kept);
  const broken = ['aof_last_write_status', 'rdb_last_bgsave_status'].filter((name) => field(name) === 'err');
  const said = kept.log ? `append-only log, appendfsync ${kept.fsync ?? 'not said'}` : 'snapshots';
  return [
    why === undefined ? ok('persistence', said) : warning('persistence', why),
    ...broken.map((name) =>
      fault(
        'persistence',
        `${name} is err: Redis could not write to its disk`,
        'Make room on the disk of the server; see its log. Until then it may refuse every write (MISCONF).',
      ),
    ),
  ];
}

async function latencyOf(redis: Redis, timeoutMs: number): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < PINGS; i++) {
    const from = performance.now();
    await redis.ping();
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const [median, worst] = [times[PINGS / 2]!, times.at(-1)!];
  const says = `${median.toFixed(2)} ms for a PING, at worst ${worst.toFixed(1)} ms`;
  if (worst * 10 < timeoutMs) return ok('latency', says);
  return warning(
    'latency',
    `${says}; after ${timeoutMs} ms a connection is made anew`,
    'Bring workers and Redis closer together, look for slow commands (redis-cli slowlog get), or raise --redis-timeout-ms.',
  );
}

async function clockOf(redis: Redis): Promise<Finding> {
  const from = Date.now();
  const [seconds, micros] = await redis.time();
  const to = Date.now();
  const ahead = Number(seconds) * 1_000 + Number(micros) / 1_000 - (from + to) / 2;
  const says = `${Math.abs(ahead).toFixed(0)} ms ${ahead < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (Math.abs(ahead) <= CLOCK_MAX_MS + (to - from)) return ok('clock', says);
  return warning('clock', says, 'Set the clocks by NTP: times of runs, rows and logs differ by as much.');
}

/** Memory against what waits, and lanes that nobody serves. */
export async function loadFindings(redis: Redis, prefix: string, producer: Producer): Promise<Finding[]> {
  const info = await redis.info('memory');
  const number = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const unreadable: string[] = [];
  const runs = await producer.list({ held: true, onUnreadable: ({ message }) => unreadable.push(message) });
  const waiting = runs.reduce((sum, run) => sum + (run.waiting ?? 0) + (run.active ?? 0), 0);
  const held = runs.reduce((sum, run) => sum + (run.redisBytes ?? 0), 0);
  const used = number('used_memory');
  const limit = number('maxmemory');
  const [room, of] = limit ? [limit, 'maxmemory'] : [number('total_system_memory'), 'the machine’s memory'];
  const says =
    `${megabytes(used)} used of ${megabytes(room)} (${of}); ` +
    `${runs.length} runs hold about ${megabytes(held)}, ${waiting} images wait or are worked on`;
  const memory =
    room > 0 && used > FULL_SHARE * room
      ? warning(
          'memory',
          says,
          'Remove runs that are done (clipfleet runs, clipfleet rm RUN), or give it more.',
        )
      : limit > 0
        ? ok('memory', says)
        : warning(
            'memory',
            says,
            'Set maxmemory: without it a run that is too large is not refused, and the system may kill Redis.',
          );
  return [
    memory,
    ...unreadable.map((message) => warning('runs', message)),
    ...(await unservedOf(redis, prefix, producer, runs)),
  ];
}

async function unservedOf(
  redis: Redis,
  prefix: string,
  producer: Producer,
  runs: Awaited<ReturnType<Producer['list']>>,
): Promise<Finding[]> {
  const models = await listModels(redis, keysUnder(prefix));
  const serving = new Map(models.map(({ model, workers }) => [model, workers.length]));
  const unserved = new Map<string, number>();
  for (const { run, model, paused, waiting } of runs) {
    if (paused !== undefined || !waiting || serving.get(model)) continue;
    // What waits in a private lane is its own command's.
    if (!isLaneOf(model, (await producer.describe(run)).lane)) continue;
    unserved.set(model, (unserved.get(model) ?? 0) + waiting);
  }
  const workers = [...serving.values()].reduce((sum, many) => sum + many, 0);
  return [
    ok('workers', `${workers} now, of ${models.length} models that were ever served (clipfleet workers)`),
    ...[...unserved].map(([model, images]) =>
      warning(
        'workers',
        `${images} images wait for ${model}, and no worker serves it`,
        'Start a worker with this model, revision and dtype.',
      ),
    ),
  ];
}

function isLaneOf(model: string, lane: string): boolean {
  return lane === laneName('bulk', model) || lane === laneName('interactive', model);
}

function megabytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
