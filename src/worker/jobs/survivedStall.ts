import type { Redis } from 'ioredis';

/** KEYS: job. A job that is gone needs nothing. */
const takeBackScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return end
redis.call('HINCRBY', KEYS[1], 'stc', -1)
redis.call('HDEL', KEYS[1], 'defa')`;

/**
 * Takes back that a job lost its worker: the worker lives, and only its lock ran out, while Redis was away or the process stood
 * still. BullMQ counts the losses in the job's field `stc` before or after this, so that the count may be below 0 for a
 * while; `defa` is its decision to fail the job.
 *
 * To be said once for a lock that was lost, so that jobs are failed with WORKER_LOST only where processes died.
 *
 * @param job the key of BullMQ's hash
 */
export async function takeBackStall(redis: Redis, job: string): Promise<void> {
  await redis.eval(takeBackScript, 1, job);
}
