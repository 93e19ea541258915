-- What every script of reception begins with; durations and limits stand before this text.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The latest attempt of WeChat's, of `seen` that came, that still waits for its answer; nil if none does. `first`: when
-- the first one ends, if that is known.
local function live(claim, seen, first)
  for number = tonumber(seen or 0), 1, -1 do
    local ends = number == 1 and first or redis.call('HGET', claim, 'e' .. number)
    if tonumber(ends or 0) > now then
      return number
    end
  end
end
