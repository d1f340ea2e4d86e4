import type { Redis, Result } from 'ioredis';
import { expireWithRun } from './expireWithRun.ts';

/**
 * KEYS: run, active, suspects. ARGV: chunk or part, the worker that died with it, images of it that have no row, their ids. 1, or 0 where
 * somebody else holds it by now, so that a death counts once. What was worked on alone names the worker that it took down.
 */
const chargeScript = `${expireWithRun}
local holder, alone = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^%d+ (%S+) ?(%a*)$')
if holder ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
for i = 4, #ARGV do
  local known = redis.call('HGET', KEYS[3], ARGV[i]) or ARGV[3]
  local size, deaths = string.match(known, '^(%d+)(.*)$')
  if alone ~= '' then deaths = deaths .. ' ' .. holder end
  redis.call('HSET', KEYS[3], ARGV[i], string.format('%d', math.min(size, ARGV[3])) .. deaths)
end
expireWithRun(KEYS[3])
return 1`;

/** KEYS: run, suspects. ARGV: image ids. They are counted from nothing. */
const resetScript = `${expireWithRun}
if redis.call('EXISTS', KEYS[1]) == 0 then return end
for _, id in ipairs(ARGV) do redis.call('HSET', KEYS[2], id, '1') end
expireWithRun(KEYS[2])`;

/** KEYS: suspects. ARGV: image id, a worker that lives. Takes back that it was taken down. */
const spareScript = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if not known then return end
local words = {}
for word in string.gmatch(known, '%S+') do
  if word ~= ARGV[2] then table.insert(words, word) end
end
redis.call('HSET', KEYS[1], ARGV[1], table.concat(words, ' '))`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetCharge(
      run: string,
      active: string,
      suspects: string,
      piece: string,
      worker: string,
      images: number,
      ...ids: string[]
    ): Result<number, Context>;
    clipfleetReset(run: string, suspects: string, ...ids: string[]): Result<null, Context>;
    clipfleetSpare(suspects: string, id: string, worker: string): Result<null, Context>;
  }
}

/** Makes the scripts commands of the connection. */
export function defineLossScripts(redis: Redis): void {
  redis.defineCommand('clipfleetCharge', { numberOfKeys: 3, lua: chargeScript });
  redis.defineCommand('clipfleetReset', { numberOfKeys: 2, lua: resetScript });
  redis.defineCommand('clipfleetSpare', { numberOfKeys: 1, lua: spareScript });
}
