import type { Redis, Result } from 'ioredis';

/**
 * KEYS: rows, counts and fingerprints of a bucket, again for each bucket. ARGV: the birth of the run (empty where nobody knows it); then, for each part: the number of its bucket
 * among the keys, from 1; the fingerprint of its rows (empty for failed ones), the number they have for it, how many rows; then image
 * id and row, again for each row.
 *
 * A part whose bucket has another number for the fingerprint, or is of no or another birth, is not written. The answer is a list of
 * those: their place, from 0, and the number, or -1 for the birth.
 *
 * A row begins with its rank, two bytes; one is replaced by one of a higher rank only. Counts move with the rows they
 * count, and numbers are given, in the same script: never ahead of the rows, never behind them, never twice. They count
 * `classified` and, after its code at byte 7, `failed:CODE`. Of a cancelled run rows are refused.
 */
const putRowsScript = `
local function statusOf(row)
  return string.byte(row, 2) % 2 == 1 and 'classified' or 'failed:' .. string.sub(row, 8, 7 + string.byte(row, 7))
end
local function rankOf(row)
  local high, low = string.byte(row, 1, 2)
  return high * 256 + low
end
local function numberOf(key, fingerprint)
  local number = redis.call('HGET', key, fingerprint)
  if not number then
    number = redis.call('HLEN', key)
    redis.call('HSET', key, fingerprint, number)
  end
  return tonumber(number)
end
local function put(rows, counts, from, to)
  local moved = {}
  for i = from, to, 2 do
    local id, row = ARGV[i], ARGV[i + 1]
    -- Most images have no row yet, and one command tells.
    local isNew, old = redis.call('HSETNX', rows, id, row) == 1, nil
    if not isNew then
      old = redis.call('HGET', rows, id)
      -- What is too short for a row is none.
      if #old <= 7 then old = nil end
      isNew = not old or rankOf(row) > rankOf(old)
      if isNew then redis.call('HSET', rows, id, row) end
    end
    if isNew then
      local status = statusOf(row)
      moved[status] = (moved[status] or 0) + 1
      if old then
        status = statusOf(old)
        moved[status] = (moved[status] or 0) - 1
      end
    end
  end
  for status, by in pairs(moved) do if by ~= 0 then redis.call('HINCRBY', counts, status, by) end end
end
local birth, answer, at, place = ARGV[1], {}, 2, 0
while at < #ARGV do
  local bucket, fingerprint, number = 3 * ARGV[at] - 2, ARGV[at + 1], tonumber(ARGV[at + 2])
  local from, to = at + 4, at + 3 + 2 * ARGV[at + 3]
  local refused, bornAs, expiresAt = unpack(redis.call('HMGET', KEYS[bucket + 1], 'refused', 'birth', 'expiresAt'))
  local known = number
  if birth ~= '' and birth ~= bornAs then known = -1
  elseif fingerprint ~= '' then known = numberOf(KEYS[bucket + 2], fingerprint) end
  if known ~= number then answer[#answer + 1], answer[#answer + 2] = place, known
  elseif not refused then put(KEYS[bucket], KEYS[bucket + 1], from, to) end
  if expiresAt then for i = bucket, bucket + 2 do redis.call('PEXPIREAT', KEYS[i], expiresAt) end end
  at, place = to + 1, place + 1
end
return answer`;

/**
 * KEYS: a bucket's rows, its counts, its fingerprints. ARGV: the birth of the run, and when it expires (or empty). From now on rows of this birth are
 * taken; what an earlier run of the id has left is removed.
 */
const bearRowsScript = `
if redis.call('HGET', KEYS[2], 'birth') == ARGV[1] then return end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], 'birth', ARGV[1])
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[2], 'expiresAt', ARGV[2])
  redis.call('PEXPIREAT', KEYS[2], ARGV[2])
end`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetPutRows(keys: number, ...keysAndParts: (string | number | Buffer)[]): Result<number[], Context>;
    clipfleetBearRows(
      rows: string,
      counts: string,
      fingerprints: string,
      birth: string,
      expiresAt: string,
    ): Result<null, Context>;
  }
}

/** Makes the script a command of the connection. */
export function defineRowScripts(redis: Redis): void {
  redis.defineCommand('clipfleetPutRows', { lua: putRowsScript });
  redis.defineCommand('clipfleetBearRows', { numberOfKeys: 3, lua: bearRowsScript });
}
