/**
 * @file How daemons take news for a webhook out of the queue's stream, in Lua. What is taken is pending in the group of its address. Its idle
 * time there says when it may be taken again: when that is `most`. So who takes it sets it back by the time that others are to wait.
 */

/**
 * KEYS news, hooks. ARGV group, most, lease, seen, forgotten, all of them milliseconds but the group. A group begins when the first
 * daemon asks for it, and goes when none has asked for `forgotten`.
 * @returns the entry, what it says, and how often it was taken before; or nil
 */
const TAKE = `
local news, hooks, group, most = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if math.abs(now - tonumber(redis.call('HGET', hooks, group) or 0)) > tonumber(ARGV[4]) then
  redis.pcall('XGROUP', 'CREATE', news, group, '$', 'MKSTREAM')
  redis.call('HSET', hooks, group, now)
  local all = redis.call('HGETALL', hooks)
  for at = 1, #all, 2 do
    if now - tonumber(all[at + 1]) > tonumber(ARGV[5]) then
      redis.call('XGROUP', 'DESTROY', news, all[at])
      redis.call('HDEL', hooks, all[at])
    end
  end
end
local idle = most - tonumber(ARGV[3])
while true do
  local due = redis.call('XPENDING', news, group, 'IDLE', most, '-', '+', 1)[1]
  if not due then break end
  local found = redis.call('XCLAIM', news, group, 'daemons', 0, due[1], 'IDLE', idle)[1]
  if found then return { due[1], found[2][2], due[4] } end
  redis.call('XACK', news, group, due[1])
end
local new = redis.call('XREADGROUP', 'GROUP', group, 'daemons', 'COUNT', 1, 'STREAMS', news, '>')
if not new then return nil end
local entry = new[1][2][1]
redis.call('XCLAIM', news, group, 'daemons', 0, entry[1], 'IDLE', idle, 'JUSTID')
return { entry[1], entry[2][2], 0 }`;

/** Sets back what was not delivered, unless somebody has taken it since. KEYS news. ARGV group, entry, how often it was taken, its idle time. */
const RETURN = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)[1]
if pending and pending[4] == tonumber(ARGV[3]) then
  redis.call('XCLAIM', KEYS[1], ARGV[1], 'daemons', 0, ARGV[2], 'IDLE', ARGV[4], 'JUSTID')
end`;

export const NEWS_SCRIPTS = { takeNews: TAKE, returnNews: RETURN } as const;
