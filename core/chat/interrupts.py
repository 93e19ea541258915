"""How one run of a dialogue is left before its last line: it waits, steps back, ends early, gives way."""

from collections.abc import Mapping

from core.chat.replies import Reply, Text
from core.chat.sessions import Question
from core.errors import DomainError


class Suspended(BaseException):
    """The dialogue waits at a question; `reply` shows it."""

    def __init__(self, question: Question, reply: Text) -> None:
        super().__init__(question.key)
        self.question = question
        self.reply = reply


class SteppedBack(BaseException):
    """The dialogue wants an earlier question again, because of a refusal or of what was `said` here."""

    def __init__(self, key: str, because: DomainError | None, said: str = "") -> None:
        super().__init__(key)
        self.key = key
        self.because = because
        self.said = said


class Withdrawn(BaseException):
    """There is nothing to take back: what is meant is the dialogue below, and it stops."""


class Ended(BaseException):
    """The dialogue ends here with this reply; `with_below`: so does the one that waits for it.

    `forgets`: nothing of this conversation is remembered from here on, not even who it is.
    """

    def __init__(self, reply: Reply, *, with_below: bool = False, forgets: bool = False) -> None:
        super().__init__()
        self.reply = reply
        self.with_below = with_below
        self.forgets = forgets


class Opens(BaseException):
    """Another dialogue is opened on top, to answer the question `key`; `settles` answers some of its own."""

    def __init__(self, key: str, dialogue: str, settles: Mapping[str, str]) -> None:
        super().__init__(dialogue)
        self.key = key
        self.dialogue = dialogue
        self.settles = settles


class GoesOn(BaseException):
    """A dialogue that was kept goes on, with some questions settled; `lead` is said before."""

    def __init__(self, kept: bytes, settles: Mapping[str, str], lead: Text) -> None:
        super().__init__()
        self.kept = kept
        self.settles = settles
        self.lead = lead
