-- What every script of reception begins with; durations and limits stand before this text.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

-- Tell whether an attempt of WeChat's, of `seen` that came, still waits for its answer.
local function live(claim, seen)
  for number = 1, tonumber(seen or 0) do
    if tonumber(redis.call('HGET', claim, 'e' .. number) or 0) > now then
      return true
    end
  end
  return false
end
