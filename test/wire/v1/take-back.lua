if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return end
local function finish(piece, kept)
  redis.call('HDEL', KEYS[3], piece)
  local images, generation = string.match(redis.call('HGET', KEYS[2], piece) or '', '^(%d+) ?(%d*)')
  if not images then return end
  redis.call('HDEL', KEYS[2], piece)
  -- Of a chunk given away whole, 0 images: -images would be -0, which Redis takes for no integer.
  redis.call('HINCRBY', KEYS[1], 'pending', 0 - images)
  if generation ~= '' then redis.call('HINCRBY', KEYS[1], 'retrying', 0 - images)
  elseif kept >= 0 then redis.call('HINCRBY', KEYS[1], 'images', kept - images) end
end
finish(ARGV[1], tonumber(ARGV[2]))
if ARGV[3] == 'whole' then
  for part = 1, tonumber(redis.call('HGET', KEYS[4], ARGV[1]) or 0) do finish(ARGV[1] .. '/' .. part, -1) end
end
