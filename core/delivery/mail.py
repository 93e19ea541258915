"""One message of ours in a worker's hands: its row, its words, whom it goes to, and the way it takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from core.chat.replies import Said
from core.delivery.lanes import Lane
from core.delivery.letters import Letter
from core.delivery.rates import SUBSCRIPTION, TEMPLATE, WINDOW
from core.delivery.rows import Row
from core.delivery.sender import Notice, Outcome, Sender

__all__ = ["SUBSCRIPTION", "TEMPLATE", "WINDOW", "Mail", "Recipient", "Recipients", "request"]


class Recipient(Protocol):
    """Where a message goes: the account it is sent through, and the openid that account knows."""

    @property
    def account(self) -> str: ...
    @property
    def openid(self) -> str: ...
    @property
    def following(self) -> bool: ...


class Recipients(Protocol):
    """Who knows the way back to a conversation."""

    async def resolve_all(self, conversations: Sequence[str]) -> Mapping[str, Recipient]:
        """Open the ways; a conversation nobody knows is left out."""
        ...

    async def lost(self, conversation: str) -> None:
        """Note that the platform does not know them as a follower any more, or lets nothing through."""
        ...


@dataclass(slots=True)
class Mail:
    """A message that may be sent: a `letter` (a notice), or a `reply` that comes late.

    `taken` names the counts it stands in until it has left us: its window, its day.
    """

    row: Row
    recipient: Recipient
    letter: Letter | None = None
    reply: Said | None = None
    channel: str = ""
    template: str = ""
    taken: set[str] = field(default_factory=set)

    @property
    def is_reply(self) -> bool:
        """Tell whether it answers what the citizen has just asked."""
        return self.row.lane is Lane.REPLIES


async def request(sender: Sender, mail: Mail) -> Outcome:
    """Make the request that sends it."""
    account, openid = mail.recipient.account, mail.recipient.openid
    if mail.reply is not None:
        return await sender.send(account, openid, mail.reply)
    letter = mail.letter
    if letter is None:
        raise ValueError(f"{mail.row.key}: neither a letter nor a reply")
    if mail.channel == WINDOW:
        return await sender.send(account, openid, letter.said(mail.row.id, again=mail.row.perhaps))
    notice = Notice(mail.template, letter.fields, letter.url, str(mail.row.id))
    if mail.channel == TEMPLATE:
        return await sender.send_template(account, openid, notice)
    return await sender.send_subscription(account, openid, notice)
