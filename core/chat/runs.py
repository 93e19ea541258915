"""Runs dialogues: from the top on every turn, until one waits at a question or all are done."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from core.chat.dialogue import Ask, Ended, NothingToChoose, SteppedBack, Suspended, Turn
from core.chat.events import Event
from core.chat.replies import Reply, Text
from core.chat.router import Match
from core.chat.routes import Given, Nearest, Notes, Routes, Wired
from core.chat.sessions import Frame, Session
from core.chat.words import Words
from core.errors import DomainError

_MOST_ROUNDS = 6  # a dialogue that steps back more often in one turn goes round in circles
_MISSES_BEFORE_HUMAN = 2


class Runs:
    """Runs the dialogues of one session for one turn."""

    def __init__(
        self, routes: Routes, words: Words, today: date, citizen: Callable[[], Awaitable[str]]
    ) -> None:
        self._routes = routes
        self._words = words
        self._today = today
        self._citizen = citizen

    async def advance(
        self, event: Event, session: Session, *, heard: bool, more: bool, notes: Sequence[str]
    ) -> list[Reply]:
        """Run the top dialogue, and those below as it ends; the replies in order, an open question last."""
        turn = Turn(event, self._today, heard=heard, more=more)
        turn.notes.extend(notes)
        replies: list[Reply] = []
        while (frame := session.top) is not None:
            wired = self._routes.named(frame.dialogue)
            if wired is None:  # a deploy removed it
                session.frames.pop()
                replies.append(Text("chat/gone"))
                continue
            reply, ended = await self._run(wired, frame, turn, session)
            replies.append(reply)
            if not ended:
                self._count(turn, session, replies)
                return replies
            session.frames.remove(frame)
            session.misses = 0
            if (outer := session.top) is not None:
                replies.append(Text("chat/back_to", title=self._title(outer)))
            turn = Turn(event, self._today)
        return replies

    async def _run(self, wired: Wired, frame: Frame, turn: Turn, session: Session) -> tuple[Reply, bool]:
        """Run one dialogue: its reply, and whether it is over."""
        domain = wired.route.domain
        notes = Notes(session.notes)
        session.notes = notes
        citizen = await self._citizen()
        for _ in range(_MOST_ROUNDS):
            ask = Ask(frame, turn, self._words, domain, citizen)
            given = Given(turn.event, Match(wired.route, frame.offered), notes, Nearest(), self._citizen, ask)
            try:
                return await wired(given), True
            except Suspended as waiting:
                frame.open = waiting.question
                return waiting.reply, False
            except Ended as ended:
                return ended.reply, True
            except SteppedBack as back:
                self._step_back(frame, turn, back)
            except NothingToChoose as nothing:
                return self._nothing(domain, nothing), True
            except DomainError as refused:
                return Text(f"errors/{refused.code}", **refused.facts), True
        raise RuntimeError(f"dialogue {frame.dialogue} steps back for ever")

    def _step_back(self, frame: Frame, turn: Turn, back: SteppedBack) -> None:
        keys = list(frame.answers)
        if back.key in keys:
            for key in keys[keys.index(back.key) :]:
                del frame.answers[key]
        frame.open = None
        turn.more = turn.heard = False
        if back.because is not None:
            turn.notes.append(self._words.render(f"errors/{back.because.code}", **back.because.facts))

    def _nothing(self, domain: str, nothing: NothingToChoose) -> Text:
        specific = f"{domain}/{nothing.key}_none"
        if self._words.has(specific):
            return Text(specific, **nothing.facts)
        return Text(f"errors/{nothing.code}", **nothing.facts)

    def _count(self, turn: Turn, session: Session, replies: list[Reply]) -> None:
        if turn.missed:
            session.misses += 1
        elif turn.settled:
            session.misses = 0
        if turn.missed and session.misses >= _MISSES_BEFORE_HUMAN:
            replies.append(Text("chat/offer_human"))

    def _title(self, frame: Frame) -> str:
        wired = self._routes.named(frame.dialogue)
        return wired.route.title if wired else frame.dialogue
