"""The durations and limits of reception, and its Lua scripts with these written into them."""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.stores.redis import Script

MOST_WAITING = 5
MOST_AT_ONCE = 20
TAP_SENDS = 3  # wechat-facts 2.2: after a tap, a scan or a new follower
WINDOW_SENDS = 5  # after a message; WeChat changed it before, so it is a setting
_SCRIPTS = Path(__file__).parent / "scripts"


@dataclass(frozen=True, slots=True)
class Durations:
    """Every duration of reception in seconds (design 4); `scaled` shortens all of them for tests."""

    lease: float = 3.0
    renewal: float = 1.0
    attempt: float = 5.0  # how long WeChat waits for one attempt
    deadline: float = 4.5  # when the last attempt is answered, whatever there is to say
    promised: float = 4.9  # by then the promise of a later answer is written down, or is none
    handed: float = 4.95  # no store is waited for any longer: the answer has to travel, too
    dropped: float = 5.5  # by then WeChat has surely hung up, even if nobody told us
    last: float = 9.0  # an attempt that comes so long after the first one is the last
    retry: float = 0.5  # a store that is gone is tried again so often
    passing: float = 6.0  # after a dead predecessor's last attempt, the next message goes on
    claim: float = 620.0
    reply: float = 60.0
    session: float = 86_400.0
    poll: float = 0.1
    flood: float = 10.0  # over `MOST_AT_ONCE` new messages in this time are a flood; 0: there is none
    run: float = 14.0  # how long a handler may take: after that no attempt of WeChat's is left
    window: float = 172_800.0  # for so long after a message of a citizen's we may write to them
    tap: float = 60.0  # the same after a tap on the menu, a scan, a new follower

    def next_look(self) -> float:
        """How long to wait before looking again, with some chance in it so that not all look at once."""
        return self.poll * random.uniform(0.75, 1.25)

    def scaled(self, factor: float) -> "Durations":
        """The same with every duration multiplied."""
        return Durations(**{name: getattr(self, name) * factor for name in self.__slots__})


@cache
def script(name: str, durations: Durations, window_sends: int = WINDOW_SENDS) -> Script:
    """One of the Lua scripts beside this module, with the durations (in ms) and limits written into it.

    They are the same for every call: as arguments they would be packed, sent and parsed for each message.
    """
    constants = {f"{each.upper()}_MS": int(getattr(durations, each) * 1000) for each in Durations.__slots__}
    constants |= {
        "MOST_WAITING": MOST_WAITING,
        "MOST_IN_FLOOD_MS": MOST_AT_ONCE,
        "WINDOW_SENDS": window_sends,
        "TAP_SENDS": TAP_SENDS,
    }
    source = "\n".join((_SCRIPTS / f"{each}.lua").read_text("utf-8") for each in ("common", name))
    used = "".join(f"local {each} = {value}\n" for each, value in constants.items() if each in source)
    return Script(f"{used}{source}")
