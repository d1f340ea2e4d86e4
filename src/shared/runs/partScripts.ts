import type { Redis, Result } from 'ioredis';

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

/**
 * KEYS: chunks, parts. ARGV: chunk, images of each part. Takes the parts' images out of the chunk; the number of the first
 * part, or 0 where the chunk does not hold so many (another delivery finished it).
 */
const splitScript = `
local images, generation = string.match(redis.call('HGET', KEYS[1], ARGV[1]) or '', '^(%d+)( ?%d*)')
local given = 0
for i = 2, #ARGV do given = given + ARGV[i] end
if not images or given > tonumber(images) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d', images - given) .. generation)
local last = redis.call('HINCRBY', KEYS[2], ARGV[1], #ARGV - 1)
local first = last - #ARGV + 2
for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[1] .. '/' .. (first + i - 2), ARGV[i] .. generation) end
return first`;

/**
 * KEYS: chunks, parts. ARGV: chunk or part, images of each new part. All images of the piece that have no row become parts; those of
 * parts taken out of it before are among them. The number of the first part, or 0 where the piece has not so many (another
 * delivery finished it).
 */
const divideScript = `${partsOfPiece}
local piece, chunk = ARGV[1], string.match(ARGV[1], '^%d+')
local images, generation = string.match(redis.call('HGET', KEYS[1], piece) or '', '^(%d+)( ?%d*)')
if not images then return 0 end
local earlier = partsOf(KEYS[2], piece)
for _, name in ipairs(earlier) do
  images = images + (string.match(redis.call('HGET', KEYS[1], name) or '', '^%d+') or 0)
end
local given = 0
for i = 2, #ARGV do given = given + ARGV[i] end
if given > tonumber(images) then return 0 end
for _, name in ipairs(earlier) do redis.call('HDEL', KEYS[1], name) end
redis.call('HSET', KEYS[1], piece, string.format('%d', images - given) .. generation)
local last = redis.call('HINCRBY', KEYS[2], chunk, #ARGV - 1)
local first = last - #ARGV + 2
if piece ~= chunk then
  redis.call('HSET', KEYS[2], piece, (redis.call('HGET', KEYS[2], piece) or '') .. ' ' .. first .. '-' .. last)
end
for i = 2, #ARGV do redis.call('HSET', KEYS[1], chunk .. '/' .. (first + i - 2), ARGV[i] .. generation) end
return first`;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    clipfleetSplit(
      chunks: string,
      parts: string,
      chunk: number,
      ...images: number[]
    ): Result<number, Context>;
    clipfleetDivide(
      chunks: string,
      parts: string,
      piece: string,
      ...images: number[]
    ): Result<number, Context>;
  }
}

/** Makes the scripts commands of the connection. */
export function definePartScripts(redis: Redis): void {
  redis.defineCommand('clipfleetSplit', { numberOfKeys: 2, lua: splitScript });
  redis.defineCommand('clipfleetDivide', { numberOfKeys: 2, lua: divideScript });
}
