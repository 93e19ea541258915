"""A letter: one notice with its words found and checked, as it is sealed until it is sent."""

import msgspec

from core.chat.replies import Said
from core.delivery.sender import Choice, Choices
from core.packing import Packing

_AGAIN = "（重发）"


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is said on each way a notice may take.

    `text` stands in the chat; a `picture`, one that was uploaded, takes its place there. `fields` go to
    whichever template the account has for this kind; `url` opens when such a card is tapped. `options` are id
    and label of what a digit may answer, until `expires` (Unix
    seconds); they are about the object `about`.
    """

    title: str
    text: str
    template: str = ""
    subscription: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    url: str = ""
    options: tuple[tuple[str, str], ...] = ()
    about: str = ""
    expires: int = 0
    picture: str = ""

    def said(self, number: int, *, again: bool = False) -> Said | Choices:
        """The message for an open send window; `number` is its row, by which a tap names it."""
        if self.picture:
            return Said(type="image", at=0, media_id=self.picture)
        text = f"{_AGAIN}{self.text}" if again else self.text
        if self.options:  # each line shows the digit that means the same as a tap on it
            lines = enumerate(self.options, start=1)
            return Choices(
                text, tuple(Choice(f"{number}:{id_}", f"{digit} {label}") for digit, (id_, label) in lines)
            )
        if self.url:
            text = f'{text}\n<a href="{self.url}">查看详情</a>'
        return Said(type="text", at=0, text=text)


letters = Packing(Letter, "letter")
