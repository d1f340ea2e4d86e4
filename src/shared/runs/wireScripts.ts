import { partsOfPiece } from './partScripts.ts';

// What programs of other languages run too: docs/wire-format.md has the same text.

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
