/**
 * Lua for scripts whose first key is a run's record: what belongs to a run that expires is gone in the same millisecond as its record.
 */
export const expireWithRun = `
local function expireWithRun(key)
  local expiresAt = redis.call('HGET', KEYS[1], 'expiresAt')
  if expiresAt then redis.call('PEXPIREAT', key, expiresAt) end
end`;
