/**
 * One worker's visit to the record of a host: it says what came of its requests and what it has under way, and gets its
 * share of what the host may be asked.
 *
 * KEYS: host, a hash. A field `w:WORKER` holds `slots wanted expiry` of each worker that is at the host, and `r:RUN` holds
 * `wanted-until tried paths` of each run: until when its images may come, when it failed last, and hashes of up to three paths
 * at which it did. The others are numbers, absent when 0: `asked` and `backoff` (times until which nobody asks), `level` (how often
 * the backoff grew), `failures` (in a row), `failing` and `refusing` (since when), `unreachable` (1 when the last failure was that
 * there was no connection), `starts` and `startsAt` (the bucket of the rate).
 * Times are the server's, in ms; what is answered are durations, so that no worker's clock matters.
 *
 * ARGV: worker, lease, concurrency, rate (0 for none), down after; in use, wanted, starts back; good, failures, refused,
 * asked for, a random number from 0 to 1, unreachable; JSON of `{runs, failed}`: the runs whose images are here, and a run and
 * the hash of a path for each failure.
 * Answers: slots, starts, wait, state, trying, refusing for, failing for, whose turn it is to try, condemned runs of those here.
 *
 * - A backoff begins with the third failure in a row (one bad image must not slow a host), doubles from a second to a
 *   minute, and is cut by up to half at random, so that hosts that failed together are not asked together.
 * - While the host is kept alone, more failures tell nothing new: they are of requests that began before.
 * - After it, one request tries: of the run that failed here longest ago, or never. So a run of bad URLs keeps no other from a host
 *   that is well. A good answer makes everything as before.
 * - A host is down when it failed for long at three paths, or without a connection. Without one it is down for all; with answers only
 *   for a run that failed at three paths itself.
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

local said = cjson.decode(ARGV[15])
local host, runs, mine, taken, content, short = {}, {}, 0, 0, 0, 0
local fields = redis.call('HGETALL', KEYS[1])
for i = 1, #fields, 2 do
  local other = string.match(fields[i], '^w:(.+)')
  local run = string.match(fields[i], '^r:(.*)')
  if run then
    local untilWhen, tried, paths = string.match(fields[i + 1], '(%d+) (%d+) (.*)')
    runs[run] = {wanted = tonumber(untilWhen), tried = tonumber(tried), paths = paths}
  elseif not other then
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
local function runOf(name)
  runs[name] = runs[name] or {wanted = 0, tried = 0, paths = ''}
  return runs[name]
end
local function pathsOf(run)
  local _, count = string.gsub(run.paths, '%S+', '')
  return count
end
local function blocked() return math.max(at('asked'), at('backoff')) > now end

local wasBlocked = blocked()
if good then
  for _, name in ipairs({'level', 'failures', 'failing', 'refusing', 'backoff', 'unreachable'}) do
    if host[name] then host[name] = 0 end
  end
  for _, run in pairs(runs) do run.tried, run.paths = 0, '' end
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
  host.unreachable = arg[14]
end
for _, failure in ipairs(said.failed) do
  local run = runOf(failure[1])
  run.tried = now
  if pathsOf(run) < 3 and not string.find(run.paths, failure[2], 1, true) then
    run.paths = run.paths .. failure[2] .. ' '
  end
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
if trying then
  for _, name in ipairs(said.runs) do runOf(name).wanted = now + math.floor(wait * 1.2) + 5000 end
end
local turn = ''
if trying and slots > 0 then
  local first, isHere
  for name, run in pairs(runs) do
    if run.wanted > now and (not first or run.tried < first.tried or (run.tried == first.tried and name < turn)) then
      first, turn = run, name
    end
  end
  for _, name in ipairs(said.runs) do isHere = isHere or name == turn end
  if first and #said.runs > 0 and not isHere and inUse == 0 then slots = 0 end
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
for name, run in pairs(runs) do
  if run.paths == '' and not (trying and run.wanted > now) then
    redis.call('HDEL', KEYS[1], 'r:' .. name)
  else
    redis.call('HSET', KEYS[1], 'r:' .. name, string.format('%.0f %.0f %s', run.wanted, run.tried, run.paths))
  end
end
local ill = at('level') > 0 or at('failures') > 0 or at('refusing') > 0
local bucket = rate > 0 and math.ceil(2000 * math.max(1, rate) / rate) or 0
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(lease, bucket, ill and 600000 + wait or 0)))

local state = 'open'
local failing = at('failing') > 0 and now - host.failing or 0
local paths, condemned = 0, {}
for _, run in pairs(runs) do paths = paths + pathsOf(run) end
if at('failing') > 0 and trying then
  local isDown = failing >= downAfter and (at('unreachable') > 0 or paths >= 3)
  state = isDown and 'down' or 'failing'
end
if at('asked') > now or at('refusing') > 0 then state = 'asked' end
local refusing = at('refusing') > 0 and now - host.refusing or 0
if state == 'down' then
  for _, name in ipairs(said.runs) do
    if at('unreachable') > 0 or pathsOf(runOf(name)) >= 3 then table.insert(condemned, name) end
  end
end
return {
  slots, starts, math.ceil(wait), state, trying and 1 or 0, math.floor(refusing), math.floor(failing), turn, condemned
}`;
