"""How many customer-service messages an account may send to one citizen, and until when."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

OUTSIDE = 45015
USED_UP = 45047


class Trigger(StrEnum):
    """What a citizen does to open a window."""

    MESSAGE = "message"
    TAP = "tap"
    SUBSCRIBE = "subscribe"
    SCAN = "scan"
    PAY = "pay"


@dataclass(frozen=True, slots=True)
class Limits:
    """The platform's figures; it has changed them before, so they are settings."""

    per_message: int = 5
    message_s: float = 48 * 3600
    per_action: int = 3
    action_s: float = 60
    payment_s: float = 48 * 3600  # without a limit to the number

    def window(self, trigger: Trigger, now: float) -> "Window":
        """The window that opens when a citizen does this."""
        if trigger is Trigger.MESSAGE:
            return Window(now + self.message_s, self.per_message)
        if trigger is Trigger.PAY:
            return Window(now + self.payment_s, None)
        return Window(now + self.action_s, self.per_action)


class Window(msgspec.Struct):
    """One open window: `left` messages until the Unix time `until`; None is as many as one likes."""

    until: float
    left: int | None

    def spend(self) -> None:
        if self.left:
            self.left -= 1


class Windows(msgspec.Struct):
    """The windows of one citizen. They do not add up: one send counts against all that are open."""

    by_trigger: dict[str, Window] = msgspec.field(default_factory=dict)

    def opened(self, trigger: Trigger, now: float, limits: Limits) -> None:
        self.by_trigger[trigger.value] = limits.window(trigger, now)

    def spend(self, now: float) -> int:
        """Take one message from every open window; returns 0, or the code of the refusal."""
        still_open = [window for window in self.by_trigger.values() if now < window.until]
        if not still_open:
            return OUTSIDE
        if all(window.left == 0 for window in still_open):
            return USED_UP
        for window in still_open:
            window.spend()
        return 0

    def close(self) -> None:
        self.by_trigger.clear()
