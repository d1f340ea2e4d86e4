import type { Redis, Result } from 'ioredis';
import { expireWithRun } from './expireWithRun.ts';

/** The parts that were ever taken out of a piece, and out of these. Parts of a chunk are numbered through, however deep they lie. */
export const partsOfPiece = `
local function partsOf(hash, piece)
  local chunk, taken = string.match(piece, '^%d+'), redis.call('HGET', hash, piece) or ''
  if chunk == piece and taken ~= '' then taken = '1-' .. taken end
  local names = {}
  for first, last in string.gmatch(taken, '(%d+)-(%d+)') do
    for part = first, last do
      local name = chunk .. '/' .. part
      table.insert(names, name)
      if chunk ~= piece then for _, inner in ipairs(partsOf(hash, name)) do table.insert(names, inner) end end
    end
  end
  return names
end`;

/** KEYS[1]: run. ARGV[1]: birth. What is of another birth changes nothing. */
const ofThisBirth = `if ARGV[1] ~= '' and redis.call('HGET', KEYS[1], 'birth') ~= ARGV[1] then return 0 end`;

/**
 * KEYS: run, chunks, parts. ARGV: birth, chunk, images of each part. Takes the parts' images out of the chunk; the number of the
 * first part, or 0 where the chunk does not hold so many (another delivery finished it) or is none of this birth.
 */
const splitScript = `${expireWithRun}
${ofThisBirth}
local chunk = ARGV[2]
local images, generation = string.match(redis.call('HGET', KEYS[2], chunk) or '', '^(%d+)( ?%d*)')
local given = 0
for i = 3, #ARGV do given = given + ARGV[i] end
if not images or given > tonumber(images) then return 0 end
redis.call('HSET', KEYS[2], chunk, string.format('%d', images - given) .. generation)
local last = redis.call('HINCRBY', KEYS[3], chunk, #ARGV - 2)
local first = last - #ARGV + 3
expireWithRun(KEYS[3])
for i = 3, #ARGV do redis.call('HSET', KEYS[2], chunk .. '/' .. (first + i - 3), ARGV[i] .. generation) end
return first`;

/**
 * KEYS: run, chunks, parts. ARGV: birth, chunk or part, images of each new part. All images of the piece that have no row become parts;
 * those of parts taken out of it before are among them. The number of the first part, or 0 where the piece has not so many
 * (another delivery finished it) or is none of this birth.
 */
const divideScript = `${partsOfPiece}${expireWithRun}
${ofThisBirth}
local piece, chunk = ARGV[2], string.match(ARGV[2], '^%d+')
local images, generation = string.match(redis.call('HGET', KEYS[2], piece) or '', '^(%d+)( ?%d*)')
if not images then return 0 end
local earlier = partsOf(KEYS[3], piece)
for _, name in ipairs(earlier) do
  images = images + (string.match(redis.call('HGET', KEYS[2], name) or '', '^%d+') or 0)
end
local given = 0
for i = 3, #ARGV do given = given + ARGV[i] end
if given > tonumber(images) then return 0 end
for _, name in ipairs(earlier) do redis.call('HDEL', KEYS[2], name) end
redis.call('HSET', KEYS[2], piece, string.format('%d', images - given) .. generation)
local last = redis.call('HINCRBY', KEYS[3], chunk, #ARGV - 2)
local first = last - #ARGV + 3
expireWithRun(KEYS[3])
if piece ~= chunk then
  redis.call('HSET', KEYS[3], piece, (redis.call('HGET', KEYS[3], piece) or '') .. ' ' .. first .. '-' .. last)
end
for i = 3, #ARGV do redis.call('HSET', KEYS[2], chunk .. '/' .. (first + i - 3), ARGV[i] .. generation) end
return first`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetSplit(
      run: string,
      chunks: string,
      parts: string,
      birth: string,
      chunk: number,
      ...images: number[]
    ): Result<number, Context>;
    clipfleetDivide(
      run: string,
      chunks: string,
      parts: string,
      birth: string,
      piece: string,
      ...images: number[]
    ): Result<number, Context>;
  }
}

/** Makes the scripts commands of the connection. */
export function definePartScripts(redis: Redis): void {
  redis.defineCommand('clipfleetSplit', { numberOfKeys: 3, lua: splitScript });
  redis.defineCommand('clipfleetDivide', { numberOfKeys: 3, lua: divideScript });
}
