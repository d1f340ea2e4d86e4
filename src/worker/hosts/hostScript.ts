/**
 * One worker's visit to the record of a host: it says what came of its requests and what it has under way, and gets its
 * share of what the host may be asked.
 *
 * KEYS: host, a hash. A field `w:WORKER` holds `slots wanted expiry` of each worker that is at the host; the others are
 * numbers, absent when 0: `asked` and `backoff` (times until which nobody asks), `level` (how often the backoff grew),
 * `failures` (in a row), `failing` and `refusing` (since when), `starts` and `startsAt` (the bucket of the rate).
 * Times are the server's, in ms; what is answered are durations, so that no worker's clock matters.
 *
 * ARGV: worker, lease, concurrency, rate (0 for none), down after; in use, wanted, starts back; good, failures, refused,
 * asked for, a random number from 0 to 1.
 * Answers: slots, starts, wait, state, trying, refusing for.
 *
 * - A backoff begins with the third failure in a row (one bad image must not slow a host), doubles from a second to a
 *   minute, and is cut by up to half at random, so that hosts that failed together are not asked together.
 * - While the host is kept alone, more failures tell nothing new: they are of requests that began before.
 * - After it, one request tries. A good answer makes everything as before.
 * - When a worker could use more than there is, slots are shared evenly; when there are fewer slots than workers, who had
 *   one passes it on.
 */
export const hostScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local worker = ARGV[1]
local arg = {}
for i = 2, #ARGV do arg[i] = tonumber(ARGV[i]) end
local lease, concurrency, rate, downAfter = arg[2], arg[3], arg[4], arg[5]
local inUse, wanted, startsBack = arg[6], arg[7], arg[8]
local good, failures, refused, askedFor = arg[9] == 1, arg[10], arg[11] == 1, arg[12]

local host, mine, taken, content, short = {}, 0, 0, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local other = string.match(fields[i], '^w:(.+)')
  if not other then
    host[fields[i]] = tonumber(fields[i + 1])
  else
    local slots, wants, expiry = string.match(fields[i + 1], '(%d+) (%d+) (%d+)')
    slots = tonumber(slots)
    if tonumber(expiry) <= now then
      redis.call('HDEL', KEYS[1], fields[i])
    elseif other == worker then
      mine = slots
    else
      taken = taken + slots
      if tonumber(wants) > slots then short = short + 1 else content = content + slots end
    end
  end
end
local function at(name) return host[name] or 0 end
local function blocked() return math.max(at('asked'), at('backoff')) > now end

local wasBlocked = blocked()
if good then
  for _, name in ipairs({'level', 'failures', 'failing', 'refusing', 'backoff'}) do
    if host[name] then host[name] = 0 end
  end
end
if refused then
  host.failing = 0
  if at('refusing') == 0 then host.refusing = now end
  if askedFor > 0 then
    host.asked = math.max(at('asked'), now + askedFor)
    host.level = math.max(at('level'), 1)
  end
end
if failures > 0 then
  host.failures = at('failures') + failures
  if at('failing') == 0 then host.failing = now end
end
local grows = (failures > 0 and at('failures') >= 3) or (refused and askedFor == 0)
if grows and not wasBlocked then
  host.level = at('level') + 1
  local longest = math.min(1000 * 2 ^ (host.level - 1), 60000)
  host.backoff = now + math.floor(longest * (0.5 + 0.5 * arg[13]))
end

local trying = at('level') > 0
local limit = trying and 1 or concurrency
local slots, starts, wait = 0, 0, math.max(at('asked'), at('backoff')) - now
if wait <= 0 then
  wait = 0
  slots = math.min(wanted, math.max(limit - taken, 0))
  if short > 0 then
    local free = limit - content
    slots = math.min(slots, math.ceil(free / (short + 1)))
    if free <= short and mine > 0 then slots = 0 end
  end
end
if rate > 0 then
  local full = math.max(1, rate)
  local has = host.startsAt and at('starts') + (now - host.startsAt) * rate / 1000 or full
  has = math.min(full, has + startsBack)
  if slots > 0 then
    starts = math.min(math.floor(has), math.max(wanted - inUse, 0))
    if starts == 0 and wanted > inUse then wait = math.ceil((1 - has) * 1000 / rate) end
  end
  host.starts = has - starts
  host.startsAt = now
end

local field = 'w:' .. worker
if wanted == 0 and inUse == 0 then
  redis.call('HDEL', KEYS[1], field)
else
  redis.call('HSET', KEYS[1], field, string.format('%d %d %.0f', math.max(slots, inUse), wanted, now + lease))
end
for name, value in pairs(host) do
  if value == 0 then
    redis.call('HDEL', KEYS[1], name)
  else
    redis.call('HSET', KEYS[1], name, string.format('%.3f', value))
  end
end
local ill = at('level') > 0 or at('failures') > 0 or at('refusing') > 0
local bucket = rate > 0 and math.ceil(2000 * math.max(1, rate) / rate) or 0
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(lease, bucket, ill and 600000 + wait or 0)))

local state = 'open'
if at('failing') > 0 and trying then state = now - host.failing >= downAfter and 'down' or 'failing' end
if at('asked') > now or at('refusing') > 0 then state = 'asked' end
local refusing = at('refusing') > 0 and now - host.refusing or 0
return {slots, starts, math.ceil(wait), state, trying and 1 or 0, math.floor(refusing)}`;
