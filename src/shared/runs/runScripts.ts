import type { Redis, Result } from 'ioredis';
import { expireWithRun } from './expireWithRun.ts';
import { definePartScripts } from './partScripts.ts';
import { announceScript, finishScript, openScript } from './wireScripts.ts';

/**
 * KEYS: run, active, parts, suspects. ARGV: chunk or part, images, worker, 'alone' or nothing, the worker that it may be taken from, birth.
 * What the worker that took it should do: 'work', or 'divided' where parts of it were given away before, with the images
 * then counted as active; 'held WORKER' where another holds it; or the run's state that stands against it: 'paused', 'cancelled',
 * 'unknown'. Then nobody holds it, though a worker that died may have said so. And whether the run has suspects.
 */
const beginScript = `
local model, birth, cancelled, paused, expiresAt =
  unpack(redis.call('HMGET', KEYS[1], 'model', 'birth', 'cancelledAt', 'paused', 'expiresAt'))
if not model or (ARGV[6] ~= '' and ARGV[6] ~= birth) then return { 'unknown', 0 } end
if cancelled or paused then
  redis.call('HDEL', KEYS[2], ARGV[1])
  return { cancelled and 'cancelled' or 'paused', 0 }
end
local holder = string.match(redis.call('HGET', KEYS[2], ARGV[1]) or '', '^%d+ (%S+)')
if holder and holder ~= ARGV[3] and holder ~= ARGV[5] then return { 'held ' .. holder, 0 } end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. (ARGV[4] ~= '' and ' ' .. ARGV[4] or ''))
if expiresAt then redis.call('PEXPIREAT', KEYS[2], expiresAt) end
local divided = redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1
return { divided and 'divided' or 'work', redis.call('EXISTS', KEYS[4]) }`;

/**
 * KEYS: run, active. ARGV: birth, chunk or part, worker or nothing. What another than this worker holds by now stays, and what a run of
 * another birth holds.
 */
const releaseScript = `
if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'birth') ~= ARGV[1] then return end
local holder = string.match(redis.call('HGET', KEYS[2], ARGV[2]) or '', '^%d+ (%S+)')
if ARGV[3] == '' or not holder or holder == ARGV[3] then redis.call('HDEL', KEYS[2], ARGV[2]) end`;

/**
 * KEYS: run. ARGV: birth, count, the lowest number that will do. The first of so many chunk numbers in a row, or -1 for no such run.
 */
const reserveScript = `
local model, birth, chunks = unpack(redis.call('HMGET', KEYS[1], 'model', 'birth', 'chunks'))
if not model or (ARGV[1] ~= '' and ARGV[1] ~= birth) then return -1 end
local first = math.max(tonumber(chunks), tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'chunks', string.format('%d', first + ARGV[2]))
return first`;

/** KEYS: run. ARGV: field, value, birth, and fields that must not be there. 0 for no such run, -1 where one of them is. */
const markScript = `
local model, birth = unpack(redis.call('HMGET', KEYS[1], 'model', 'birth'))
if not model or (ARGV[3] ~= '' and ARGV[3] ~= birth) then return 0 end
for i = 4, #ARGV do if redis.call('HEXISTS', KEYS[1], ARGV[i]) == 1 then return -1 end end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1`;

/** KEYS: run, warnings. ARGV: warning, most of them. */
const warnScript = `${expireWithRun}
if redis.call('HEXISTS', KEYS[1], 'model') == 1 and redis.call('HLEN', KEYS[2]) < tonumber(ARGV[2]) then
  redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
  expireWithRun(KEYS[2])
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetOpenRun(run: string, ...args: (string | number)[]): Result<string, Context>;
    clipfleetAnnounce(
      run: string,
      chunks: string,
      announced: string,
      chunk: number,
      images: number,
      generation: number,
      birth: string,
      ...producer: string[]
    ): Result<number, Context>;
    clipfleetFinish(
      run: string,
      chunks: string,
      active: string,
      parts: string,
      piece: string,
      kept: number,
      whole: string,
      birth: string,
    ): Result<number, Context>;
    clipfleetBegin(
      run: string,
      active: string,
      parts: string,
      suspects: string,
      piece: string,
      images: number,
      worker: string,
      alone: string,
      from: string,
      birth: string,
    ): Result<[answer: string, hasSuspects: number], Context>;
    clipfleetRelease(
      run: string,
      active: string,
      birth: string,
      piece: string,
      worker: string,
    ): Result<null, Context>;
    clipfleetReserve(run: string, birth: string, count: number, least: number): Result<number, Context>;
    clipfleetWarn(run: string, warnings: string, warning: string, most: number): Result<null, Context>;
    clipfleetMark(
      run: string,
      field: string,
      value: string,
      birth: string,
      ...without: string[]
    ): Result<number, Context>;
  }
}

/** Makes the scripts commands of the connection. */
export function defineRunScripts(redis: Redis): void {
  definePartScripts(redis);
  redis.defineCommand('clipfleetOpenRun', { numberOfKeys: 1, lua: openScript });
  redis.defineCommand('clipfleetAnnounce', { numberOfKeys: 3, lua: announceScript });
  redis.defineCommand('clipfleetFinish', { numberOfKeys: 4, lua: finishScript });
  redis.defineCommand('clipfleetBegin', { numberOfKeys: 4, lua: beginScript });
  redis.defineCommand('clipfleetRelease', { numberOfKeys: 2, lua: releaseScript });
  redis.defineCommand('clipfleetReserve', { numberOfKeys: 1, lua: reserveScript });
  redis.defineCommand('clipfleetWarn', { numberOfKeys: 2, lua: warnScript });
  redis.defineCommand('clipfleetMark', { numberOfKeys: 1, lua: markScript });
}
