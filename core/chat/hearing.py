"""What one turn of a conversation brings to the open question."""

from datetime import date

from core.chat import answers
from core.chat.events import Event, Kind
from core.chat.sessions import Answer, Frame, Question

_LONGEST_TEXT = 1000  # characters of a free answer that are kept


class Turn:
    """What this turn brings to the open question, if anything, and what is to be said before it."""

    def __init__(
        self,
        event: Event,
        today: date,
        *,
        said: str | None = None,
        heard: bool = False,
        pages: int = 0,
    ) -> None:
        self.event = event
        self.said = event.text if said is None else said  # the answer in it, without the words around
        self.today = today
        self.heard = heard  # the message is meant as an answer
        self.pages = pages  # so many pages on are asked for, or back
        self.missed = False  # the answer was not understood
        self.told = False  # what was understood of it is said already
        self.settled = False  # a question was settled
        self.led: dict[str, Answer] | None = None  # what was answered before the words led back
        self.notes: list[str] = []
        self.ends_below = False  # the dialogue that waits for this one ends with it
        self.forgets = False  # nothing of the conversation is remembered from here on
        self.brought = ""  # what a dialogue answers to the one that waits for it

    @property
    def own_words(self) -> str:
        """What was written, whole, as the answer to a question for words."""
        return _own_words(self.event) if self.said == self.event.text else self.said[:_LONGEST_TEXT]


def _own_words(event: Event) -> str:
    """What was written, whole; recognised speech ends in a full stop nobody said."""
    said = event.text.strip()[:_LONGEST_TEXT]
    return said.rstrip("。.！!？?") if event.kind is Kind.VOICE else said


def keep(frame: Frame, event: Event) -> None:
    """Keep words for an open text question until the citizen says whether to go on with it.

    Several messages are kept together; a number or a nod says nothing to be kept.
    """
    folded = answers.fold(event.text)
    says_nothing = answers.number(folded) is not None or answers.is_nod(folded)
    if frame.open is not None and frame.open.kind == "text" and not says_nothing:
        frame.kept = "\n".join(filter(None, (frame.kept, _own_words(event))))[:_LONGEST_TEXT]


def is_answer(folded: str, question: Question, today: date) -> bool:
    """Tell whether these words pick one of the lines shown."""
    if question.kind == "confirm":
        return answers.agrees(folded, question.options) is not None
    if question.kind != "choice":
        return False
    return answers.is_any(folded) or answers.pick(folded, question.options, today) is not None


def no_in(folded: str, question: Question | None) -> str:
    """The confirmation's own word for no that stands in these words: 不取消 in 算了不取消; else ""."""
    if question is None or question.kind != "confirm":
        return ""
    return next((no for no in question.options[1].aliases if answers.fold(no) in folded), "")


def speaks_to(folded: str, question: Question, today: date) -> bool:
    """Tell whether these words pick a line, or name a day or time that none of them is."""
    meant = answers.meant(folded, question.options, today)
    return meant is not None or is_answer(folded, question, today)
