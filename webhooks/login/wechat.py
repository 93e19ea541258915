"""What the login needs of WeChat, and of whoever wants to know who came; the commands provide both."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Arrived:
    """Who WeChat says came; the unionid is "" where it tells none."""

    openid: str = field(repr=False)
    unionid: str = field(default="", repr=False)


class PreviewError(Exception):
    """A snapshot user: somebody looks at a preview of the page, the identity is nobody's."""


class CodeRefusedError(Exception):
    """WeChat does not take this code: used, too old, or none of its own."""


class NoAnswerError(Exception):
    """WeChat cannot be reached."""


class WebLogin(Protocol):
    """The web login of one official account."""

    def address(self, back: str, state: str) -> str:
        """Where to send a citizen, who comes `back` with a code and the same `state`."""
        ...

    async def redeem(self, code: str) -> Arrived:
        """Who has this code; raises the three errors above."""
        ...


class Hears(Protocol):
    """Somebody who joins the accounts of one person."""

    async def learned(self, conversation: str, unionid: str) -> None:
        """Hear that whoever writes in this conversation has this unionid."""
        ...
