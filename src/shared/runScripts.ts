import type { Redis, Result } from 'ioredis';

/** KEYS: run. ARGV: model, label set, lane, version, now. 1 when open, or the field that differs. */
export const openScript = `
local model = redis.call('HGET', KEYS[1], 'model')
if not model then
  redis.call('HSET', KEYS[1], 'v', ARGV[4], 'model', ARGV[1], 'labelSet', ARGV[2], 'lane', ARGV[3],
    'createdAt', ARGV[5], 'images', 0, 'pending', 0, 'chunks', 0)
  return 'ok'
end
if model ~= ARGV[1] then return 'model' end
if redis.call('HGET', KEYS[1], 'labelSet') ~= ARGV[2] then return 'labelSet' end
if redis.call('HGET', KEYS[1], 'lane') ~= ARGV[3] then return 'lane' end
redis.call('HDEL', KEYS[1], 'sealedAt')
return 'ok'`;

/** KEYS: run, chunks, announced. ARGV: chunk, images. The pending images, or -1 for no such run, -2 for a sealed one. */
export const announceScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HEXISTS', KEYS[1], 'sealedAt') == 1 then return -2 end
if redis.call('SETBIT', KEYS[3], ARGV[1], 1) == 0 then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'images', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'pending', ARGV[2])
  if tonumber(redis.call('HGET', KEYS[1], 'chunks')) <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'chunks', ARGV[1] + 1)
  end
end
return tonumber(redis.call('HGET', KEYS[1], 'pending'))`;

/**
 * KEYS: run, chunks. ARGV: chunk, images of it that stay counted in the run: all of them (-1) when it is finished, those
 * that have rows when it is taken back.
 */
export const finishScript = `
local images = redis.call('HGET', KEYS[2], ARGV[1])
if images then
  redis.call('HDEL', KEYS[2], ARGV[1])
  redis.call('HINCRBY', KEYS[1], 'pending', -images)
  if tonumber(ARGV[2]) >= 0 then redis.call('HINCRBY', KEYS[1], 'images', ARGV[2] - images) end
end`;

/** KEYS: run. ARGV: now. 0 for no such run. */
export const sealScript = `
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'sealedAt', ARGV[1])
return 1`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetOpenRun(run: string, ...args: (string | number)[]): Result<string, Context>;
    clipfleetAnnounce(
      run: string,
      chunks: string,
      announced: string,
      chunk: number,
      images: number,
    ): Result<number, Context>;
    clipfleetSeal(run: string, now: string): Result<number, Context>;
    clipfleetFinish(run: string, chunks: string, chunk: number, kept: number): Result<null, Context>;
  }
}

/** Makes the scripts commands of the connection. */
export function defineRunScripts(redis: Redis): void {
  redis.defineCommand('clipfleetOpenRun', { numberOfKeys: 1, lua: openScript });
  redis.defineCommand('clipfleetAnnounce', { numberOfKeys: 3, lua: announceScript });
  redis.defineCommand('clipfleetSeal', { numberOfKeys: 1, lua: sealScript });
  redis.defineCommand('clipfleetFinish', { numberOfKeys: 2, lua: finishScript });
}
