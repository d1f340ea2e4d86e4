import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { isWrongType } from '../../shared/redis/wrongType.ts';

/** Something that one process of the fleet does for all; ends by itself a while after its holder has. */
export interface Lease {
  /** Gives it back, if it is still held. */
  release(): Promise<void>;
}

/** KEYS: lease. ARGV: holder, milliseconds. 1 when held: taken where it is free, renewed where it is the holder's. */
const holdScript = `
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

/** KEYS: lease. ARGV: holder. */
const releaseScript = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end`;

/**
 * Takes the lease and renews it until it is released; undefined where another holds it.
 *
 * A lease that ran out all the same (its holder stood still, or Redis was away) is taken again if it is free. If another
 * has it by then, both do the work: a lease saves work, it does not exclude.
 *
 * Where somebody else put something of another type under the key there is no lease to be had: it is named, and the work is done without.
 *
 * @param leaseMs how long it outlives its holder
 * @param onForeign told the key that is of another type
 */
export async function takeLease(
  redis: Redis,
  key: string,
  leaseMs: number,
  onForeign: (key: string) => void = () => {},
): Promise<Lease | undefined> {
  const holder = randomUUID();
  const hold = async () => (await redis.eval(holdScript, 1, key, holder, leaseMs)) === 1;
  try {
    if (!(await hold())) return undefined;
  } catch (error) {
    if (!isWrongType(error)) throw error;
    onForeign(key);
    return { release: async () => {} };
  }
  let renewing = false;
  const timer = setInterval(async () => {
    if (renewing) return;
    renewing = true;
    await hold().catch(() => {});
    renewing = false;
  }, leaseMs / 3);
  return {
    async release() {
      clearInterval(timer);
      await redis.eval(releaseScript, 1, key, holder);
    },
  };
}
