"""Dialogues on one another: one opens another for an answer, brings one back, is kept until one comes."""

from typing import NoReturn

from core.chat.choosing import Choosing
from core.chat.interrupts import Ended, Opens
from core.chat.replies import Reply, Text
from core.chat.sessions import keep


class Stacking(Choosing):
    """What a dialogue can do with those above and below it."""

    def opens(self, key: str, dialogue: str, told: Text | None = None, **settles: str) -> NoReturn:
        """Open another dialogue on top, which answers the question `key`; `settles` answers some of its own.

        `told` says why, before its first question. This one goes on when that one ends; if it ends without
        an answer, `gave_up(key)` tells so.
        """
        self._frame.answers.pop(key, None)
        if told is not None:
            self._note(told.template, **told.facts)
        raise Opens(key, dialogue, settles)

    def gave_up(self, key: str) -> bool:
        """Tell whether a dialogue that was opened to answer `key` ended without an answer."""
        return key in self._frame.tried

    def bring(self, value: str) -> None:
        """Say what this dialogue answers to the one that opened it; it counts when this one ends."""
        self._turn.brought = value

    @property
    def awaited_by(self) -> str:
        """What a citizen calls the dialogue that waits for this one; "" if none does."""
        below = self._below
        return below.title if below is not None and below.frame.waits else ""

    def put_away(self) -> bytes:
        """The dialogue that waits for this one, to be kept and gone on with later (`GoesOn`).

        It holds all that was answered there: seal it.
        """
        below = self._below
        if below is None or not below.frame.waits:
            raise LookupError("no dialogue waits for this one")
        return keep(below.frame)

    def end_for_good(self, reply: Reply) -> NoReturn:
        """End this dialogue, and forget all of this conversation: its citizen is known no more."""
        raise Ended(reply, forgets=True)

    def end_both(self, reply: Reply) -> NoReturn:
        """End this dialogue and the one that waits for it: it was put away, or is not wanted any more."""
        raise Ended(reply, with_below=bool(self.awaited_by))
