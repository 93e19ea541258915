-- Plays a corpus to one server: each request once and in order, each response checked, some kept for a closer look.
-- Arguments after `--`: corpus, file for kept responses, keep every n-th, "again" to start over at the end or "once".
local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int pid, int signal);")
local SIGINT = 2
local threads = {}

function setup(thread)
  table.insert(threads, thread)
end

function init(arguments)
  requests, asked, sent, answered, bad = {}, false, 0, 0, 0
  every = tonumber(arguments[3])
  again = arguments[4] == "again"
  kept = assert(io.open(arguments[2], "wb"))
  local corpus = assert(io.open(arguments[1], "rb"))
  for length in corpus:lines() do
    requests[#requests + 1] = corpus:read(tonumber(length))
  end
  corpus:close()
end

function request()
  if not asked then -- wrk asks for one before it starts, and does not send it
    asked = true
    return requests[1]
  end
  if sent == #requests and not again then
    return "" -- nothing leaves; `response` ends the run when all others are answered
  end
  sent = sent + 1
  return requests[(sent - 1) % #requests + 1]
end

function response(status, _, body)
  answered = answered + 1
  if status ~= 200 or #body == 0 then
    bad = bad + 1
  end
  if answered % every == 0 then
    kept:write(#body, "\n", body)
    kept:flush()
  end
  if answered == #requests and not again then
    ffi.C.kill(ffi.C.getpid(), SIGINT) -- wrk's main thread sleeps until its time is over
  end
end

function done(summary, latency)
  local thread, errors = threads[1], summary.errors
  io.write(string.format(
    '{"sent":%d,"answered":%d,"bad":%d,"broken":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f}\n',
    thread:get("sent"), thread:get("answered"), thread:get("bad"),
    errors.connect + errors.read + errors.write + errors.timeout,
    summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
