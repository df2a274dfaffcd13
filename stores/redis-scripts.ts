/**
 * The commands of the store on Redis and Valkey, in Lua: each runs alone, whoever else asks. All of them see the time of the caller, in
 * milliseconds, as every other store does; Redis' own clock only frees what has expired.
 *
 * A record is a hash: `value`, `deadline` (epoch milliseconds), `v`, `consumedAt` (epoch seconds), `claimedBy`. `claimedBy` names the
 * write that last succeeded, so that a client that sends it again, after an answer that was lost on the way, finds itself and not a
 * stranger who was first. Beside the records of a partition, a sorted set has their sort keys by deadline.
 */

/**
 * KEYS: record, index of its partition. ARGV: now, deadline, value, version, sort key; claim: empty = whatever is there; seen: empty =
 * where nothing is there, else the `consumedAt` of what is.
 */
export const PUT = `
local record, index = KEYS[1], KEYS[2]
local now, deadline, value, version, sk, claim, seen = unpack(ARGV)
if claim ~= '' then
  local there = redis.call('HMGET', record, 'deadline', 'claimedBy', 'consumedAt')
  local isThere = there[1] and tonumber(there[1]) > tonumber(now)
  local replaceable = (seen == '' and not isThere) or (seen ~= '' and isThere and there[3] == seen)
  if not replaceable and not (isThere and there[2] == claim) then return 0 end
end
redis.call('DEL', record)
redis.call('HSET', record, 'v', version, 'value', value, 'deadline', deadline)
if claim ~= '' then redis.call('HSET', record, 'claimedBy', claim) end
redis.call('PEXPIREAT', record, deadline)
if sk ~= 'value' then
  redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
  redis.call('ZADD', index, deadline, sk)
  redis.call('PEXPIREAT', index, redis.call('ZRANGE', index, -1, -1, 'WITHSCORES')[2])
end
return 1`;

/** KEYS: record. ARGV: now in milliseconds, now in seconds, earliest consumedAt of the grace window or empty, seen or empty, claim. */
export const CONSUME = `
local record = KEYS[1]
local nowMs, now, since, seen, claim = unpack(ARGV)
local there = redis.call('HMGET', record, 'deadline', 'consumedAt', 'claimedBy')
local deadline, consumedAt, claimedBy = there[1], there[2], there[3]
if not deadline or tonumber(deadline) <= tonumber(nowMs) then return 0 end
local usable = not consumedAt or claimedBy == claim or consumedAt == seen
  or (since ~= '' and tonumber(consumedAt) >= tonumber(since))
if not usable then return 0 end
if not consumedAt or seen ~= '' then redis.call('HSET', record, 'consumedAt', now) end
redis.call('HSET', record, 'claimedBy', claim)
return 1`;

/** KEYS: record. A script and not HMGET alone: a client may send that to a replica, which is behind. */
export const READ = `
return redis.call('HMGET', KEYS[1], 'value', 'deadline', 'consumedAt')`;

/** KEYS: record, index of its partition. ARGV: now, sort key. */
export const DELETE = `
local deadline = redis.call('HGET', KEYS[1], 'deadline')
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[2])
return deadline and tonumber(deadline) > tonumber(ARGV[1]) and 1 or 0`;

/** KEYS: count. ARGV: deadline, version. */
export const COUNT = `
local count = redis.call('HINCRBY', KEYS[1], 'count', 1)
redis.call('HSET', KEYS[1], 'v', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[1])
return count`;

/** KEYS: index of a partition. ARGV: now. */
export const LIST = `
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf')`;
