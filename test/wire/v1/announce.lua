if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return -3 end
local again = tonumber(ARGV[3] or 0) > 0
if not again and redis.call('HEXISTS', KEYS[1], 'sealedAt') == 1 then return -2 end
if redis.call('SETBIT', KEYS[3], ARGV[1], 1) == 0 then
  redis.call('HSET', KEYS[2], ARGV[1], again and (ARGV[2] .. ' ' .. ARGV[3]) or ARGV[2])
  redis.call('HINCRBY', KEYS[1], again and 'retrying' or 'images', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'pending', ARGV[2])
  if tonumber(redis.call('HGET', KEYS[1], 'chunks')) <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'chunks', ARGV[1] + 1)
  end
end
return tonumber(redis.call('HGET', KEYS[1], 'pending'))
