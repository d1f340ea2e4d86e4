local model = redis.call('HGET', KEYS[1], 'model')
if not model then
  redis.call('HSET', KEYS[1], 'v', ARGV[4], 'model', ARGV[1], 'labelSet', ARGV[2], 'lane', ARGV[3],
    'createdAt', ARGV[5], 'images', 0, 'pending', 0, 'chunks', 0)
  return 'ok'
end
if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return 'cancelled' end
if model ~= ARGV[1] then return 'model' end
if redis.call('HGET', KEYS[1], 'labelSet') ~= ARGV[2] then return 'labelSet' end
if redis.call('HGET', KEYS[1], 'lane') ~= ARGV[3] then return 'lane' end
redis.call('HDEL', KEYS[1], 'sealedAt')
return 'ok'
