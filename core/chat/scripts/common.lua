-- What every script of reception begins with; durations and limits stand before this text.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- The latest attempt of WeChat's, of `seen` that came, that still waits for its answer; nil if none does.
local function live(claim, seen)
  for number = tonumber(seen or 0), 1, -1 do
    if tonumber(redis.call('HGET', claim, 'e' .. number) or 0) > now then
      return number
    end
  end
end
