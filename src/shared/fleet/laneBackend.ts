import type { BackendFactory, RedisQueueBackend } from 'bullmq';
import type { Redis } from 'ioredis';
import { readEveryJob } from './laneQueue.ts';

/**
 * The way to Redis of BullMQ's worker.
 *
 * When it closes, the worker ends the connection on which it waits for jobs, and then waits for those in hand. If that connection failed at this
 * moment, it would wait for none: their locks would run out, and Redis would not be told how they ended. The connection is to end
 * either way, so it does not matter how.
 */
export function laneBackend(redis: Redis): BackendFactory<RedisQueueBackend> {
  const open = readEveryJob(redis);
  return (...how) => {
    const backend = open(...how);
    const disconnect = backend.disconnectBlocking.bind(backend);
    backend.disconnectBlocking = (wait) => disconnect(wait).catch(() => {});
    return backend;
  };
}
