"""Citizens who walk through ten messages with the hospital, and all that they sent and got."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.support.booking_model import GAVE_UP, PASSED, START, Answered, State, after, questions_before

# What stands together is sent at once. Whoever takes nothing back has one number in the end.
_BOOK = (("挂号",), ("1",), ("1",), ("1",), ("1",), ("1",))
_IN_A_HURRY = (("挂号",), ("1", "1"), ("1",), ("1",), ("1",))
_TAKE_BACK = "取消预约"
WALKS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (*_BOOK, ("我的预约",), ("科室",), ("帮助",), ("我的预约",)),
    (*_BOOK, (_TAKE_BACK,), ("1",), ("我的预约",), ("帮助",)),
    (*_IN_A_HURRY, ("我的预约", "帮助"), ("科室", "我的预约")),
    (*_IN_A_HURRY, (_TAKE_BACK,), ("1",), ("我的预约", "帮助")),
)
MESSAGES = 10  # of each walk, if every one is answered


@dataclass(slots=True)
class Told:
    """One message, and all that came back for it; times are the event loop's."""

    number: int  # MsgId
    text: str
    began: float
    ended: float = 0.0
    attempts: int = 0
    reply: str | None = None  # as the answer to an attempt
    notice: bool = False  # the platform's, that the account does not answer
    late: list[str] = field(default_factory=list)  # as messages of the account's own
    perhaps: bool = False  # its late answer was being sent when the sender was killed: nobody knows

    @property
    def words(self) -> list[str]:
        """Everything the account answered to it."""
        return [*self.late, *([] if self.reply is None or self.gave_up else [self.reply])]

    @property
    def gave_up(self) -> bool:
        """Whether its last attempt was told that nothing works: no answer, which may still come late."""
        return self.reply is not None and GAVE_UP in self.reply

    @property
    def answered(self) -> Answered:
        words = self.words
        return Answered(self.text, words[0] if words else None)

    @property
    def processed(self) -> bool:
        """Whether the citizen knows that it was."""
        return bool(self.words) and PASSED not in self.words[0]


class Walk:
    """One citizen's way through a plan, with what they wrote and read so far."""

    def __init__(self, openid: str, plan: Sequence[Sequence[str]]) -> None:
        self.openid = openid
        self.turns: list[list[Told]] = []  # what was sent at once stands together
        self._lines = [(text, group) for group, texts in enumerate(plan) for text in texts]
        self._asked = questions_before([text for text, _ in self._lines])
        self._states: frozenset[State] = START
        self._place = 0

    @property
    def told(self) -> list[Told]:
        return [each for turn in self.turns for each in turn]

    @property
    def keeps(self) -> int:
        """How many numbers this citizen has in the end."""
        return int(all(text != _TAKE_BACK for text, _ in self._lines))

    def next(self) -> list[str]:
        """What to send now; nothing at the end, or when nothing explains what came back."""
        questions = {state.question for state in self._states}
        while self._place < len(self._lines) and self._states:
            if self._asked[self._place] in questions:
                text, group = self._lines[self._place]
                if len(questions) > 1:  # not sure where we are: the answer will tell
                    return [text]
                return [text for text, other in self._lines[self._place :] if other == group]
            self._place += 1
        return []

    def heard(self, turn: list[Told]) -> None:
        """Take note of what came back for what was sent; what may be unheard is sent again."""
        self._states = after(self._states, [each.answered for each in turn], unseen=unseen(self.turns, turn))
        self.turns.append(turn)
        if all(each.processed for each in turn):
            self._place += len(turn)


def unseen(before: Sequence[Sequence[Told]], turn: Sequence[Told]) -> bool:
    """Whether an open question may not have been seen: an answer took another way than it should."""
    return any(each.reply is None for each in [*turn, *(before[-1] if before else [])])
