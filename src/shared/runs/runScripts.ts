import type { Redis, Result } from 'ioredis';
import { expireWithRun } from './expireWithRun.ts';
import { definePartScripts, partsOfPiece } from './partScripts.ts';

/**
 * KEYS: run. ARGV: model, label set, lane, version, now; where there are, the run's birth (or empty), 'new' where it must not be there
 * (or empty), of a store that is not this Redis its name and address (or empty), and after how many milliseconds a new run expires. 'ok' when open, or
 * what stands against it.
 */
export const openScript = `
local model = redis.call('HGET', KEYS[1], 'model')
if not model then
  redis.call('HSET', KEYS[1], 'v', ARGV[4], 'model', ARGV[1], 'labelSet', ARGV[2], 'lane', ARGV[3],
    'createdAt', ARGV[5], 'images', 0, 'pending', 0, 'chunks', 0)
  if (ARGV[6] or '') ~= '' then redis.call('HSET', KEYS[1], 'birth', ARGV[6]) end
  if (ARGV[8] or '') ~= '' then redis.call('HSET', KEYS[1], 'store', ARGV[8], 'storeAddress', ARGV[9]) end
  if ARGV[10] then
    local now = redis.call('TIME')
    local expiresAt = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[10])
    redis.call('HSET', KEYS[1], 'expiresAt', expiresAt)
    redis.call('PEXPIREAT', KEYS[1], expiresAt)
  end
  return 'ok'
end
if ARGV[7] == 'new' then return 'exists' end
if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return 'cancelled' end
if model ~= ARGV[1] then return 'model' end
if redis.call('HGET', KEYS[1], 'labelSet') ~= ARGV[2] then return 'labelSet' end
if redis.call('HGET', KEYS[1], 'lane') ~= ARGV[3] then return 'lane' end
if (redis.call('HGET', KEYS[1], 'store') or '') ~= (ARGV[8] or '') then return 'store' end
redis.call('HDEL', KEYS[1], 'sealedAt')
return 'ok'`;

/**
 * KEYS: run, chunks, announced. ARGV: chunk, images, generation, birth, producer. The pending images, or -1 for no such run, -2
 * for a sealed one, -3 for a cancelled one. Images of a later generation are in the run already: they are only pending again, also
 * in a sealed run. What a producer that names itself announced is counted under its name.
 */
export const announceScript = `
local model, birth, expiresAt = unpack(redis.call('HMGET', KEYS[1], 'model', 'birth', 'expiresAt'))
if not model or ((ARGV[4] or '') ~= '' and ARGV[4] ~= birth) then return -1 end
if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return -3 end
local again = tonumber(ARGV[3] or 0) > 0
if not again and redis.call('HEXISTS', KEYS[1], 'sealedAt') == 1 then return -2 end
if redis.call('SETBIT', KEYS[3], ARGV[1], 1) == 0 then
  redis.call('HSET', KEYS[2], ARGV[1], again and (ARGV[2] .. ' ' .. ARGV[3]) or ARGV[2])
  redis.call('HINCRBY', KEYS[1], again and 'retrying' or 'images', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'pending', ARGV[2])
  if ARGV[5] then redis.call('HINCRBY', KEYS[1], 'announced:' .. ARGV[5], ARGV[2]) end
  if tonumber(redis.call('HGET', KEYS[1], 'chunks')) <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'chunks', ARGV[1] + 1)
  end
  if expiresAt then for i = 2, 3 do redis.call('PEXPIREAT', KEYS[i], expiresAt) end end
end
return tonumber(redis.call('HGET', KEYS[1], 'pending'))`;

/**
 * KEYS: run, chunks, active, parts. ARGV: chunk or part, images of it that stay counted in the run: all of them (-1)
 * when it is finished, those that have rows when it is taken back; 'whole' where the images of its parts have their
 * rows too; the run's birth, where it is known. The ledger of a cancelled run stays as it is, because rows are refused: what
 * finishes has none. The images of the piece that were pending until now.
 */
export const finishScript = `${partsOfPiece}
local model, birth, cancelled = unpack(redis.call('HMGET', KEYS[1], 'model', 'birth', 'cancelledAt'))
if not model or cancelled or ((ARGV[4] or '') ~= '' and ARGV[4] ~= birth) then return 0 end
local function finish(piece, kept)
  redis.call('HDEL', KEYS[3], piece)
  local images, generation = string.match(redis.call('HGET', KEYS[2], piece) or '', '^(%d+) ?(%d*)')
  if not images then return 0 end
  redis.call('HDEL', KEYS[2], piece)
  -- Of a chunk given away whole, 0 images: -images would be -0, which Redis takes for no integer.
  redis.call('HINCRBY', KEYS[1], 'pending', 0 - images)
  if generation ~= '' then redis.call('HINCRBY', KEYS[1], 'retrying', 0 - images)
  elseif kept >= 0 then redis.call('HINCRBY', KEYS[1], 'images', kept - images) end
  return tonumber(images)
end
local finished = finish(ARGV[1], tonumber(ARGV[2]))
if ARGV[3] == 'whole' then
  for _, part in ipairs(partsOf(KEYS[4], ARGV[1])) do finish(part, -1) end
end
local pending, sealed = unpack(redis.call('HMGET', KEYS[1], 'pending', 'sealedAt'))
if pending == '0' and sealed then
  local prefix, run = string.match(KEYS[1], '^(.*):run:{(.*)}$')
  -- A user without the right to publish has runs that end all the same.
  redis.pcall('PUBLISH', prefix .. ':ended', run)
end
return finished`;

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
