import type { Redis, Result } from 'ioredis';

/**
 * KEYS: a bucket's rows, its counts, its fingerprints. ARGV: the fingerprint of the rows (empty for failed ones), the
 * number they have for it, the birth of their run (empty where nobody knows it), then image id and row, again for each row.
 *
 * Where the bucket is of no or another birth, nothing is written, and the answer is -1. Where the bucket has another number for the fingerprint, nothing is written, and that number is the answer. Else the
 * answer is a list: how many rows replaced another, then the places, from 0, of those that were not written.
 *
 * A row begins with its rank, two bytes; one is replaced by one of a higher rank only. Counts move with the rows they
 * count, and numbers are given, in the same script: never ahead of the rows, never behind them, never twice. They count
 * `classified` and, after its code at byte 7, `failed:CODE`. Of a cancelled run rows are refused.
 */
const putRowsScript = `
local refused, birth = unpack(redis.call('HMGET', KEYS[2], 'refused', 'birth'))
if ARGV[3] ~= '' and ARGV[3] ~= birth then return -1 end
if ARGV[1] ~= '' then
  local number = redis.call('HGET', KEYS[3], ARGV[1])
  if not number then
    number = redis.call('HLEN', KEYS[3])
    redis.call('HSET', KEYS[3], ARGV[1], number)
  end
  if tonumber(number) ~= tonumber(ARGV[2]) then return tonumber(number) end
end
local answer = {0}
if refused then
  for i = 4, #ARGV, 2 do answer[#answer + 1] = (i - 4) / 2 end
  return answer
end
local function statusOf(row, low)
  return low % 2 == 1 and 'classified' or 'failed:' .. string.sub(row, 8, 7 + string.byte(row, 7))
end
local moved = {}
for i = 4, #ARGV, 2 do
  local id, row = ARGV[i], ARGV[i + 1]
  local high, low = string.byte(row, 1, 2)
  -- What is too short for a row is none.
  local old = redis.call('HGET', KEYS[1], id)
  local oldHigh, oldLow = -1, 0
  if old and #old <= 7 then old = nil end
  if old then oldHigh, oldLow = string.byte(old, 1, 2) end
  if high * 256 + low > oldHigh * 256 + oldLow then
    redis.call('HSET', KEYS[1], id, row)
    local status = statusOf(row, low)
    moved[status] = (moved[status] or 0) + 1
    if old then
      status = statusOf(old, oldLow)
      moved[status] = (moved[status] or 0) - 1
      answer[1] = answer[1] + 1
    end
  else
    answer[#answer + 1] = (i - 4) / 2
  end
end
for status, by in pairs(moved) do if by ~= 0 then redis.call('HINCRBY', KEYS[2], status, by) end end
return answer`;

/**
 * KEYS: a bucket's rows, its counts, its fingerprints. ARGV: the birth of the run. From now on rows of this birth are taken; what an
 * earlier run of the id has left is removed.
 */
const bearRowsScript = `
if redis.call('HGET', KEYS[2], 'birth') == ARGV[1] then return end
redis.call('UNLINK', KEYS[1], KEYS[2], KEYS[3])
redis.call('HSET', KEYS[2], 'birth', ARGV[1])`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetPutRows(
      rows: string,
      counts: string,
      fingerprints: string,
      fingerprint: string,
      number: number,
      birth: string,
      ...idsAndRows: (string | Buffer)[]
    ): Result<number | [replaced: number, ...kept: number[]], Context>;
    clipfleetBearRows(
      rows: string,
      counts: string,
      fingerprints: string,
      birth: string,
    ): Result<null, Context>;
  }
}

/** Makes the script a command of the connection. */
export function defineRowScripts(redis: Redis): void {
  redis.defineCommand('clipfleetPutRows', { numberOfKeys: 3, lua: putRowsScript });
  redis.defineCommand('clipfleetBearRows', { numberOfKeys: 3, lua: bearRowsScript });
}
