-- A message knocks: claim it, put it in its place, and say whether it may run (design 4, "enter").
-- KEYS: claim, order, session, reply, windows. ARGV: name, token, who ("new": an attempt of WeChat's; "again": one
-- that waits and looks once more; "hold": one that only waits; "sweep": the sweeper, which makes no claim), the window
-- this message opens ("message", "tap" or ""), which attempt this is (unless new).
local claim = redis.call('HMGET', KEYS[1], 'state', 'lease', 'seen', 'first', 'way', 'owed')
local state, way, owed = claim[1], claim[5], claim[6] == '1'
local seen, first = tonumber(claim[3] or 0), tonumber(claim[4] or now)
local sweeps = ARGV[3] == 'sweep'

-- The session's key also counts the conversation's messages: those of this span of time and of the one before.
local session = redis.call('HMGET', KEYS[3], 'sealed', 'shown', 'span', 'here', 'before', 'told', 'by')

local function run(fence)
  return {'RUN', fence, session[1] or '', session[2] or '1', seen, now - first}
end

-- From here on the answer goes to this attempt, and no other way unless it is dropped, too.
local function answer_attempt()
  local number = ARGV[5]
  if ARGV[3] == 'new' then
    number = seen + 1
    redis.call('HSET', KEYS[1], 'seen', number, 'e' .. number, now + ATTEMPT_MS)
  end
  redis.call('HSET', KEYS[1], 'way', 'passive', 'to', number)
end

local function refuse(why)
  redis.call('HSET', KEYS[1], 'state', 'refused', 'why', why)
  redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
  return {why}
end

if sweeps and (not state or state == 'done') then
  if not state then
    return {'GONE'}
  end
  local since = now - tonumber(redis.call('HGET', KEYS[1], 'done'))
  return {'OVER', redis.call('GET', KEYS[4]) or '', way or '', live(KEYS[1], seen) and 1 or 0, since}
elseif state == 'done' then
  local reply = redis.call('GET', KEYS[4])
  if not reply or way == 'late' then
    return {'DONE'}
  end
  answer_attempt()
  -- This attempt shows the question, if no later message has changed the session since.
  if session[7] == ARGV[1] then
    redis.call('HSET', KEYS[3], 'shown', 1)
  end
  return {'DONE', reply, owed and 1 or 0}
elseif state == 'passed' then
  if way == 'late' and not sweeps then
    return {'DONE'}
  end
  if not sweeps then
    answer_attempt()
  end
  return {'PASSED', owed and 1 or 0, way or ''}
elseif state == 'refused' then
  return {redis.call('HGET', KEYS[1], 'why')}
elseif not state and ARGV[3] == 'hold' then
  return {'WAIT', 0, 0}
end

if not state and ARGV[4] ~= '' then -- a sign of life: for so long, so many messages of ours may go out
  if ARGV[4] == 'message' then
    redis.call('HSET', KEYS[5], 'message', now + WINDOW_MS, 'message_left', WINDOW_SENDS)
    redis.call('PEXPIRE', KEYS[5], WINDOW_MS)
  else
    redis.call('HSET', KEYS[5], 'tap', now + TAP_MS, 'tap_left', TAP_SENDS)
    if redis.call('PTTL', KEYS[5]) < TAP_MS then
      redis.call('PEXPIRE', KEYS[5], TAP_MS)
    end
  end
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

-- Who is new stands behind the others; nearly every message finds nobody before it.
if not state and redis.call('RPUSH', KEYS[2], ARGV[1]) == 1 then
  seen = 1
  redis.call('HSET', KEYS[1], 'state', 'run', 'first', now, 'last', now, 'seen', 1, 'e1', now + ATTEMPT_MS,
             'fence', 1, 'token', ARGV[2], 'lease', now + LEASE_MS)
  redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
  redis.call('PEXPIRE', KEYS[2], CLAIM_MS)
  return run(1)
end

-- Only the head runs; a head that is finished, gone or long dead makes room.
local blocked = false
local head = redis.call('LINDEX', KEYS[2], 0)
if head and head ~= ARGV[1] then
  local prefix = string.sub(KEYS[1], 1, #KEYS[1] - #ARGV[1])
  repeat
    local before = redis.call('HMGET', prefix .. head, 'state', 'lease', 'last', 'owed', 'turn')
    local waits = before[1] == 'wait' or before[1] == 'run'
    local since = tonumber(before[3] or 0)
    if before[1] == 'wait' and before[4] == '1' then -- promised, and its turn has just come: the sweeper runs it
      since = tonumber(before[5] or now)
      if not before[5] then
        redis.call('HSET', prefix .. head, 'turn', now)
      end
    end
    if waits and (tonumber(before[2] or 0) > now or since + PASSING_MS > now) then
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

if not state then
  if redis.call('LLEN', KEYS[2]) > 1 + MOST_WAITING then
    redis.call('LREM', KEYS[2], -1, ARGV[1])
    return refuse('FULL')
  end
  redis.call('HSET', KEYS[1], 'state', 'wait', 'first', now, 'last', now)
elseif not head then -- the order was lost, the claim was not
  redis.call('RPUSH', KEYS[2], ARGV[1])
end
if ARGV[3] == 'new' then
  seen = seen + 1
  redis.call('HSET', KEYS[1], 'last', now, 'seen', seen, 'e' .. seen, now + ATTEMPT_MS)
end
redis.call('PEXPIRE', KEYS[1], CLAIM_MS)
redis.call('PEXPIRE', KEYS[2], CLAIM_MS)
if blocked or ARGV[3] == 'hold' or (state == 'run' and tonumber(claim[2]) > now) then
  return {'WAIT', seen, now - first}
end
local fence = redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'state', 'run', 'token', ARGV[2], 'lease', now + LEASE_MS)
return run(fence)
