"""Who sends what we start, and what became of it: the protocol core calls outward through."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from core.chat.replies import Said


class Policy(StrEnum):
    """What a platform's answer code means to whoever sent; the classes of wechat-facts 4."""

    DONE = "done"
    BUSY = "busy"  # the platform itself does not know what became of it
    TOKEN = "token"  # noqa: S105 - our access to the API, mended by the client itself
    RATE_MINUTE = "rate_minute"  # not now; in a minute
    RATE_DAY = "rate_day"  # not today on this API
    CONFIGURATION = "configuration"  # a person has to put the settings or the account right
    GONE = "gone"  # this recipient cannot be reached any more
    UNWILLING = "unwilling"  # this recipient does not want it
    WINDOW = "window"  # not on this channel before the recipient's next contact
    TEMPLATE = "template"  # the template, or what was put into it
    CONTENT = "content"  # the message itself
    PERMISSION = "permission"  # this account may not use this API
    QUOTA_SPENT = "quota_spent"  # the quota cannot be reset again this month
    REQUEST = "request"  # a menu, a tag, a method: our own mistake
    LOGIN = "login"  # the citizen has to go through the authorisation page again
    UNKNOWN = "unknown"  # a code nobody has told us about


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it; `msg_id` is its name for it, "" where it gives none."""

    msg_id: str = ""


@dataclass(frozen=True, slots=True)
class SurelyNotSent:
    """Nothing went out, and the message itself is not to blame: try again after so many seconds.

    `policy` tells what is to blame where WeChat said so: its rate, its quota, a token.
    """

    reason: str
    retry_after: float
    policy: Policy | None = None

    def __post_init__(self) -> None:
        if self.retry_after <= 0:
            raise ValueError(
                "a sender that tries again at once does nothing else: say after how many seconds"
            )


@dataclass(frozen=True, slots=True)
class PerhapsSent:
    """The request left us and no answer tells its fate: repeating it may say it twice."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The platform said no; repeating it as it is says no again. `policy` is what to do instead.

    `code` is the platform's, 0 where we did not even ask.
    """

    policy: Policy
    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Refused with a code that is not in the table: not sent.

    It may be tried again a few times; then a person must look.
    """

    code: int
    words: str


@dataclass(frozen=True, slots=True)
class Unsendable:
    """There is no such message: silence, a transfer, or one with nothing in it.

    `type` as in `Said`; `template` and `subscription` for a notice.
    """

    type: str


Outcome = Sent | SurelyNotSent | PerhapsSent | Refused | Unknown | Unsendable


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of `Choices`; `id` comes back as `bizmsgmenuid` when it is tapped."""

    id: str
    words: str


@dataclass(frozen=True, slots=True)
class Choices:
    """A message with lines to tap: words, the lines, more words (WeChat's msgmenu)."""

    head: str
    choices: tuple[Choice, ...]
    tail: str = ""


@dataclass(frozen=True, slots=True)
class MiniProgram:
    """A page of a mini program; "" is its first."""

    appid: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A form of the platform's, filled in: `fields` are its keys (`thing1`) and what stands there.

    A tap on it opens `program` if there is one, else `url`. `client_id` is our own name for a template
    message: under the same one WeChat sends it once in ten minutes (wechat-facts 2.3).
    """

    template_id: str
    fields: tuple[tuple[str, str], ...]
    url: str = ""
    client_id: str = ""
    program: MiniProgram | None = None


class Sender(Protocol):
    """Sends one message to one citizen, outside of any request of theirs.

    Each way tries once, within two time-outs of a request, and says what became of it; no failure is raised.
    """

    async def ready(self, account: str) -> Outcome | None:
        """Have at hand what the requests of an account wait for, a token; it takes one time-out at most.

        What would become of any of its messages now, where that is not to be had; None where it is, and then
        each way's request starts at once: whoever sends looks at the message after this, as the last thing.
        """
        ...

    async def send(self, account: str, openid: str, said: Said | Choices) -> Outcome:
        """Send a customer-service message, for which a window has to be open."""
        ...

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        """Send a template message, to a follower."""
        ...

    async def send_subscription(self, account: str, openid: str, notice: Notice) -> Outcome:
        """Send a subscription notification, which costs a credit; it has no `client_id`."""
        ...
