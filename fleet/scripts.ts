/**
 * @file What happens in Redis as a whole, in Lua: a run's hash holds `run` (JSON), `version` (of it), `epoch` (of the
 * lease), `recipe`, `manifest` (what was committed of its directory), `live` and `stream` (see `ledger.ts`). Every write
 * of a worker names the epoch that it took the run with, and is refused where that is not the newest.
 */

import { NEWS_SCRIPTS } from './news-scripts.js';

/** What every refusal leaves: who came too late with what. */
const REFUSE = `
local function late(run, refused, epoch, id, node, what)
  if redis.call('HGET', run, 'epoch') == epoch then return false end
  redis.call('XADD', refused, 'MAXLEN', '~', 1000, '*', 'run', id, 'node', node, 'epoch', epoch, 'what', what)
  return true
end`;

/** Of what webhooks are told, so much waits at most; the oldest goes. */
const TELL = `
local function tell(news, text)
  redis.call('XADD', news, 'MAXLEN', '~', 10000, '*', 'n', text)
end`;

/**
 * KEYS runs, run, keys, sequence, events. ARGV id, run, recipe, key or '', event.
 * @returns the id of the run that has the key
 */
const SUBMIT = `
if ARGV[4] ~= '' then
  local known = redis.call('HGET', KEYS[3], ARGV[4])
  if known then return known end
end
if redis.call('EXISTS', KEYS[2]) == 1 then return ARGV[1] end
local sequence = redis.call('INCR', KEYS[4])
redis.call('HSET', KEYS[2], 'run', ARGV[2], 'recipe', ARGV[3], 'sequence', sequence, 'version', 1, 'epoch', 0)
redis.call('RPUSH', KEYS[1], ARGV[1])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[3], ARGV[4], ARGV[1]) end
redis.call('RPUSH', KEYS[5], ARGV[5])
return ARGV[1]`;

/**
 * Moves a run on. KEYS run, events, completions, refused, news. ARGV id, node, version, epoch or '' (of people), run,
 * 'take', 'finish' or '', how many events, events…, news….
 * @returns 'ok', version, epoch, manifest or ''; or 'unknown', 'late', 'version'
 */
const MOVE = `${REFUSE}${TELL}
local at = redis.call('HGET', KEYS[1], 'version')
if not at then return { 'unknown' } end
if ARGV[4] ~= '' and late(KEYS[1], KEYS[4], ARGV[4], ARGV[1], ARGV[2], 'move') then return { 'late' } end
if at ~= ARGV[3] then return { 'version' } end
redis.call('HSET', KEYS[1], 'run', ARGV[5])
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
if ARGV[6] == 'take' then redis.call('HINCRBY', KEYS[1], 'epoch', 1) end
if ARGV[6] == 'finish' then
  redis.call('XADD', KEYS[3], '*', 'run', ARGV[1], 'node', ARGV[2], 'epoch', redis.call('HGET', KEYS[1], 'epoch'))
end
local events = tonumber(ARGV[7])
for at = 8, 7 + events do redis.call('RPUSH', KEYS[2], ARGV[at]) end
for at = 8 + events, #ARGV do tell(KEYS[5], ARGV[at]) end
redis.call('LTRIM', KEYS[2], -200, -1)
return { 'ok', version, tonumber(redis.call('HGET', KEYS[1], 'epoch')), redis.call('HGET', KEYS[1], 'manifest') or '' }`;

/** KEYS run, refused. ARGV id, node, epoch, manifest. @returns 'ok', 'late' */
const COMMIT = `${REFUSE}
if late(KEYS[1], KEYS[2], ARGV[3], ARGV[1], ARGV[2], 'checkpoint') then return 'late' end
redis.call('HSET', KEYS[1], 'manifest', ARGV[4])
return 'ok'`;

/**
 * What a run does now, and metrics. KEYS run, metrics, refused. ARGV id, node, epoch, live, stream, metrics….
 * @returns 'late', or the version of the run
 */
const REPORT = `${REFUSE}
if late(KEYS[1], KEYS[3], ARGV[3], ARGV[1], ARGV[2], #ARGV > 5 and 'metrics' or 'renewal') then return 'late' end
redis.call('HSET', KEYS[1], 'live', ARGV[4])
if #ARGV > 5 then
  if redis.call('HGET', KEYS[1], 'stream') ~= ARGV[5] then
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[1], 'stream', ARGV[5])
  end
  for at = 6, #ARGV do redis.call('XADD', KEYS[2], '*', 'm', ARGV[at]) end
end
return redis.call('HGET', KEYS[1], 'version')`;

/** What a worker tells of its run, once. KEYS run, told, news, refused. ARGV id, node, epoch, what, news. @returns 'ok', 'late' */
const NOTE = `${REFUSE}${TELL}
if late(KEYS[1], KEYS[4], ARGV[3], ARGV[1], ARGV[2], 'threshold') then return 'late' end
if redis.call('SADD', KEYS[2], ARGV[4]) == 1 then tell(KEYS[3], ARGV[5]) end
return 'ok'`;

export const SCRIPTS = {
  ...{ submitRun: SUBMIT, moveRun: MOVE, commitRun: COMMIT, reportRun: REPORT, noteRun: NOTE },
  ...NEWS_SCRIPTS,
} as const;
