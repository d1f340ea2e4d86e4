import { type ListedModel, listModels } from '../../shared/fleet/models.ts';
import { keysUnder } from '../../shared/redis/keys.ts';
import { type RedisMemory, readRedisMemory } from '../../shared/redis/redisMemory.ts';
import { untilAborted } from '../../shared/untilAborted.ts';
import type { GatewayOptions } from '../http/gatewayApp.ts';

type Producer = GatewayOptions['producer'];

/** What a fleet has to do and who does it, as Redis says it now. */
export interface FleetNumbers {
  depths: Awaited<ReturnType<Producer['laneDepths']>>;
  runs: Awaited<ReturnType<Producer['runStates']>>;
  models: ListedModel[];
  memory: RedisMemory;
}

/** Longer than Redis takes, and shorter than a scraper waits. */
const ANSWER_MS = 5_000;

/** Runs are counted one by one: at most this share of the time goes into it. */
const COUNTING_SHARE = 1 / 20;

/**
 * Reads the numbers of the fleet; who asks while they are read gets the same. Runs are counted anew when twenty times as long has passed as
 * counting took, so that a Redis with a million of them is not kept busy by it.
 *
 * @returns undefined where Redis does not answer in time
 */
export function createFleetNumbers({
  producer,
  redis,
  prefix,
}: Pick<GatewayOptions, 'producer' | 'redis' | 'prefix'>): () => Promise<FleetNumbers | undefined> {
  const keys = keysUnder(prefix);
  let reading: Promise<FleetNumbers | undefined> | undefined;
  let counted: { runs: FleetNumbers['runs']; at: number; tookMs: number } | undefined;

  async function countRuns(): Promise<FleetNumbers['runs']> {
    const at = performance.now();
    if (counted && at - counted.at < counted.tookMs / COUNTING_SHARE) return counted.runs;
    const runs = await producer.runStates();
    counted = { runs, at, tookMs: performance.now() - at };
    return runs;
  }

  async function read(): Promise<FleetNumbers> {
    const models = await listModels(redis, keys);
    const [depths, runs, memory] = await Promise.all([
      Promise.all(models.map(({ model }) => producer.laneDepths(model))),
      countRuns(),
      readRedisMemory(redis),
    ]);
    return { depths: depths.flat(), runs, models, memory };
  }

  return () => {
    reading ??= untilAborted(AbortSignal.timeout(ANSWER_MS), read)
      .catch(() => undefined)
      .finally(() => {
        reading = undefined;
      });
    return reading;
  };
}
