"""How one run of a dialogue is left before its last line: it waits, steps back, or ends early."""

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
    """The dialogue ends here with this reply."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.reply = reply
