-- A message knocks: claim it, put it in its place, and say whether it may run (design 4, "enter").
-- KEYS: claim, order, session, reply. ARGV: name, token, "1" for an attempt of WeChat's or "0" for a waiting one that
-- looks again. Durations and limits stand before this text.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local claim = redis.call('HMGET', KEYS[1], 'state', 'lease')
local state = claim[1]

-- The session's key also counts the conversation's messages: those of this span of time and of the one before.
local session = redis.call('HMGET', KEYS[3], 'sealed', 'shown', 'span', 'here', 'before', 'told', 'by')

local function run(fence)
  return {'RUN', fence, session[1], session[2]}
end

local function refuse(why)
  redis.call('HSET', KEYS[1], 'state', 'refused', 'why', why)
  redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
  return {why}
end

if state == 'done' then
  local reply = redis.call('GET', KEYS[4])
  -- This attempt shows the question, if no later message has changed the session since.
  if reply and session[7] == ARGV[1] then
    redis.call('HSET', KEYS[3], 'shown', 1)
  end
  return {'DONE', reply}
elseif state == 'passed' then
  return {'PASSED'}
elseif state == 'refused' then
  return {redis.call('HGET', KEYS[1], 'why')}
end

-- A flood: the sentence once, then nothing until the rate falls. What is refused counts, too.
if not state and FLOOD_MS > 0 then
  local span = math.floor(now / FLOOD_MS)
  local here, before = 1, 0
  if tonumber(session[3]) == span then
    here, before = session[4] + 1, tonumber(session[5])
  elseif tonumber(session[3]) == span - 1 then
    before = tonumber(session[4])
  end
  local flooded = here + before * (1 - now % FLOOD_MS / FLOOD_MS) > MOST_IN_FLOOD_MS
  redis.call('HSET', KEYS[3], 'span', span, 'here', here, 'before', before, 'told', flooded and '1' or '0')
  if not session[3] then
    redis.call('PEXPIRE', KEYS[3], SESSION_MS)
  end
  if flooded then
    return refuse(session[6] == '1' and 'HUSHED' or 'FLOOD')
  end
end

-- Only the head runs; a head that is finished, gone or long dead makes room.
local blocked = false
local head = redis.call('LINDEX', KEYS[2], 0)
if head and head ~= ARGV[1] then
  local prefix = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[1])
  repeat
    local before = redis.call('HMGET', prefix .. head, 'state', 'lease', 'last')
    local waits = before[1] == 'wait' or before[1] == 'run'
    if waits and (tonumber(before[2] or 0) > now or before[3] + PASSING_MS > now) then
      blocked = true
    else
      if waits then
        redis.call('HSET', prefix .. head, 'state', 'passed')
      end
      redis.call('LPOP', KEYS[2])
      head = redis.call('LINDEX', KEYS[2], 0)
    end
  until blocked or not head or head == ARGV[1]
end

if not state and not head then -- nobody before us, and we are new: nearly every message
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'state', 'run', 'first', now, 'last', now, 'until', now + ATTEMPT_MS, 'seen', 1,
             'fence', 1, 'token', ARGV[2], 'lease', now + LEASE_MS)
  redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
  redis.call('PEXPIRE', KEYS[2], CLAIM_MS)
  return run(1)
end

if not state then
  if redis.call('LLEN', KEYS[2]) > MOST_WAITING then
    return refuse('FULL')
  end
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('HSET', KEYS[1], 'state', 'wait', 'first', now, 'last', now)
elseif not head then -- the order was lost, the claim was not
  redis.call('RPUSH', KEYS[2], ARGV[1])
end
if ARGV[3] == '1' then
  redis.call('HSET', KEYS[1], 'last', now, 'until', now + ATTEMPT_MS)
  redis.call('HINCRBY', KEYS[1], 'seen', 1)
end
redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
redis.call('PEXPIRE', KEYS[2], CLAIM_MS)
if blocked or (state == 'run' and tonumber(claim[2]) > now) then
  return {'WAIT'}
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'state', 'run', 'token', ARGV[2], 'lease', now + LEASE_MS)
return run(fence)
