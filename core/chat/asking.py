"""What all questions of a dialogue share: what was shown, what was said to it, what is settled."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable
from typing import NamedTuple, TypeVar

from core.chat import answers
from core.chat.hearing import Turn
from core.chat.interrupts import SteppedBack, Suspended
from core.chat.moments import names_day
from core.chat.replies import Text
from core.chat.sessions import Answer, Frame, Question
from core.chat.words import Words
from core.errors import DomainError

_T = TypeVar("_T")


class Below(NamedTuple):
    """The dialogue under the one that runs, and what a citizen calls it."""

    title: str
    frame: Frame


class Asking:
    """One run of a dialogue, as every kind of question sees it."""

    def __init__(
        self, frame: Frame, turn: Turn, words: Words, domain: str, citizen: str, below: Below | None = None
    ) -> None:
        self.citizen = citizen
        self.event = turn.event
        self._frame = frame
        self._turn = turn
        self._words = words
        self._domain = domain
        self._below = below
        self._first = ""  # the question that comes before all others, whenever it is asked
        self._visited: list[str] = []
        self._kept = ""  # a day or time that was named too early, as it was said
        self._timed: list[str] = []  # the questions of days and times this run came to
        self._meant: dict[str, str] = {}  # words for one question and no other

    def offer(self, key: str, words: str) -> None:
        """Put these words, and from then on no others, to the question `key` when it is asked first.

        Elsewhere all that was said beyond the opening word is put to each question in turn; but of
        周三的号改到周五 one question should hear 周三, a later one 周五. A day that is said at `key`, or
        behind it, leads back to no question before `key`.
        """
        self._meant[key] = words

    def knows(self, key: str) -> bool:
        """Tell whether a question has its answer, or will have it as soon as it is asked."""
        return key in self._frame.answers or key in self._frame.hints

    def said_beside(self, key: str) -> str:
        """What was said beside all questions (the route's `Beside`), until the question `key` has its answer.

        That is the first question of all, whenever it is asked: it takes no opening words, and what the
        others were answered stays.
        """
        self._first = key
        return self._frame.beside

    @property
    def first(self) -> str:
        """The question that comes before all others; "" if there is none."""
        return self._first

    @property
    def visited(self) -> list[str]:
        """The questions and effects this run came to, in order."""
        return self._visited

    @property
    def _is_first(self) -> bool:
        """Tell whether no other question came before the one that is asked now."""
        return len([key for key in self._visited if key != self._first]) == 1

    @property
    def _begun(self) -> bool:
        """Tell whether the opening words were put to any question."""
        return any(key != self._first for key in (*self._frame.tried, *self._frame.answers))

    @property
    def _has_a_step_back(self) -> bool:
        """Tell whether 返回 leads anywhere from the question that is asked now."""
        known = self._frame.answers
        before = [known[key] for key in self._visited[:-1] if key in known and known[key].kind != "only"]
        return any(answer.kind != "once" for answer in before[-1:])

    def _known(self, key: str, kind: str) -> str | None:
        """The stored answer; one of another kind is from before a deploy, and the question is asked again."""
        self._visited.append(key)
        answer = self._frame.answers.get(key)
        kinds = (kind, "only") if kind == "choice" else (kind,)
        return answer.value if answer and answer.kind in kinds else None

    def _shown(self, key: str, kind: str) -> Question | None:
        shown = self._frame.open
        return shown if shown is not None and shown.key == key and shown.kind == kind else None

    def _answering(self, key: str, kind: str) -> bool:
        """Tell whether this turn's message answers `key`; a message answers one question only."""
        if not self._turn.heard or self._shown(key, kind) is None:
            return False
        self._turn.heard = False
        return True

    def _said(self, key: str, kind: str) -> str:
        return answers.fold(self._turn.said) if self._answering(key, kind) else ""

    def _take_offer(self, key: str) -> str:
        """What was said before this question was asked; each question may try it once."""
        if key == self._first or key in self._frame.tried:
            return ""
        self._frame.tried = [*self._frame.tried, key]
        self._frame.offered = self._offered(key)
        return answers.fold(self._frame.offered)

    def _offered(self, key: str) -> str:
        led_back = self._turn.led is not None  # by words that are newer than those meant for it
        return self._frame.offered if led_back else self._meant.get(key, self._frame.offered)

    def _settle(self, key: str, kind: str, value: str) -> str:
        self._frame.answers[key] = Answer(kind, value)
        self._frame.open = None
        if key == self._first:
            self._frame.beside = ""
        self._turn.settled = True
        return value

    def _lead_back(self, said: str) -> None:
        """Let a day or time that is no answer here answer the last question of such before this one."""
        known = self._frame.answers
        first = max((place for place, key in enumerate(self._timed) if key in self._meant), default=0)
        before = [key for key in self._timed[first:] if key != self._visited[-1] and key in known]
        if before and known[before[-1]].kind == "date" and not names_day(said, self._turn.today):
            return
        if before and not self._frame.has_effect:
            raise SteppedBack(before[-1], None, said)

    @property
    def _came_round(self) -> bool:
        """Tell whether words led back, and here again with the same answers: they were those shown."""
        led = self._turn.led
        now = {key: answer.value for key, answer in self._frame.answers.items()}
        return led is not None and now == {key: answer.value for key, answer in led.items()}

    def _note(self, template: str, **facts: object) -> None:
        """Say something before the question."""
        self._turn.notes.append(self._words.render(template, **facts))

    def _miss(self, key: str, template: str, **facts: object) -> None:
        self._turn.missed = True
        template = self._own_or(f"{key}_missed", template)
        if not self._turn.told:
            self._note(template, **{"said": self._turn.said, **facts})

    def _own_or(self, name: str, template: str) -> str:
        """The domain's own template of this name, or the one for everybody."""
        own = self._template(name)
        return own if self._words.has(own) else template

    async def _checked(self, check: Callable[[_T], _T | Awaitable[_T]] | None, value: _T) -> _T | None:
        if check is None:
            return value
        try:
            checked = check(value)
            return await checked if isawaitable(checked) else checked
        except DomainError as refused:
            self._turn.notes.append(self._words.refusal(refused))
            return None

    def _suspended(self, key: str, kind: str, **facts: object) -> Suspended:
        lead = self._words.question(self._template(key), **facts).lead
        template = self._own_or(f"{key}_{kind}", f"chat/{kind}")
        return Suspended(Question(key, kind), self._text(template, lead))

    def _template(self, key: str) -> str:
        """The words of a question are its domain's, unless its key says where they are: health@consent/ask.

        What stands before the sign tells questions of the same words apart.
        """
        _, elsewhere, name = key.rpartition("@")
        return name if elsewhere else f"{self._domain}/{key}"

    def _text(self, template: str, lead: str, **facts: object) -> Text:
        facts = {"back": self._has_a_step_back, **facts}
        return Text(template, lead=lead, notes=self._turn.notes, **facts)
