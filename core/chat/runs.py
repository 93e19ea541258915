"""Runs dialogues: from the top on every turn, until one waits at a question or all are done."""

import secrets
from collections.abc import Awaitable, Callable
from datetime import date

import msgspec
import structlog

from core.chat.asking import Below
from core.chat.dialogue import Ask, NothingToChoose
from core.chat.hearing import Turn
from core.chat.interrupts import Ended, Opens, SteppedBack, Suspended, Withdrawn
from core.chat.replies import Reply, Text
from core.chat.router import Match
from core.chat.routes import Given, Nearest, Notes, Routes, Wired
from core.chat.sessions import MOST_FRAMES, Frame, Session
from core.chat.words import Words
from core.errors import DomainError, StoreGoneError

_log = structlog.get_logger("dialogue")

_MOST_ROUNDS = 6  # a dialogue that steps back more often in one turn goes round in circles
_MISSES_BEFORE_HUMAN = 2
_OWN = frozenset(("text", "place", "photo"))  # what a citizen gave of their own is so on any other day


def trouble_number() -> str:
    """Draw the number under which a failure stands in the log and in its sentence."""
    return secrets.token_hex(2).upper()


class Runs:
    """Runs the dialogues of one session for one turn."""

    def __init__(
        self, routes: Routes, words: Words, today: date, citizen: Callable[[], Awaitable[str]]
    ) -> None:
        self._routes = routes
        self._words = words
        self._today = today
        self._citizen = citizen

    async def advance(self, turn: Turn, session: Session, *, in_passing: bool = False) -> list[Reply]:
        """Run the top dialogue, and those below as it ends; the replies in order, an open question last.

        `in_passing`: something was said already that must not be lost when the dialogue fails.
        """
        replies: list[Reply] = []
        while (frame := session.top) is not None:
            wired = self._routes.named(frame.dialogue)
            if wired is None:
                raise LookupError(f"session names {frame.dialogue}, which is not routed")
            try:
                if in_passing or replies:
                    reply, ended = await self._spared(wired, frame, turn, session)
                else:
                    reply, ended = await self._run(wired, frame, turn, session)
            except Opens as wish:
                turn = self._stacked(wish, frame, turn, session)
                continue
            replies.append(reply)
            if not ended:
                self._count(turn, session, replies)
                return replies
            if turn.forgets:
                session.forget()
                return replies
            session.close_top(turn.brought)
            session.misses = 0
            session.done = frame.dialogue if frame.has_effect else ""
            if session.top is None and frame.open is not None:  # a no ended it
                session.stopped = frame
            if turn.ends_below and session.top is not None:
                session.frames.pop()
            if session.top is not None:
                replies.append(Text("chat/back_to", title=self.title(session.top)))
            turn = Turn(turn.event, self._today)
        return replies

    def title(self, frame: Frame) -> str:
        """What a citizen calls a dialogue under way."""
        wired = self._routes.named(frame.dialogue)
        return wired.route.title if wired else frame.dialogue

    def own(self, dialogue: str, what: str) -> str:
        """The template for what may happen in every dialogue: its own (common/desk_not_heard), or chat's."""
        own = f"{dialogue.replace('.', '/')}_{what}"
        return own if self._words.has(own) else f"chat/{what}"

    def stopped(self, frame: Frame) -> Text:
        """What is said when a citizen stops a dialogue: in the domain's own words, if it has any."""
        if frame.has_effect:
            return Text("chat/cancelled_midway", title=self.title(frame))
        own = f"{frame.dialogue.replace('.', '/')}_stopped"
        return Text(own if self._words.has(own) else "chat/cancelled", title=self.title(frame))

    def _stacked(self, wish: Opens, frame: Frame, turn: Turn, session: Session) -> Turn:
        """Put the dialogue that is to answer a question on top; what was to be said is said before it."""
        if wish.dialogue == frame.dialogue:
            raise RuntimeError(f"{frame.dialogue} cannot open itself for {wish.key}")
        frame.waits, frame.open = wish.key, None
        opened = Frame(wish.dialogue, f"{turn.event.id}/{wish.dialogue}", hints=dict(wish.settles))
        session.open_top(opened)
        session.misses = 0
        next_turn = Turn(turn.event, self._today)
        next_turn.notes = turn.notes
        return next_turn

    async def _spared(self, wired: Wired, frame: Frame, turn: Turn, session: Session) -> tuple[Reply, bool]:
        """Run a dialogue behind something that is said already; should it fail, that is still said."""
        before = msgspec.msgpack.encode(frame)
        try:
            return await self._run(wired, frame, turn, session)
        except StoreGoneError:
            raise
        except Exception:  # noqa: BLE001 - whatever it is, what ended before it stays told
            number = trouble_number()
            _log.exception("dialogue_failed", dialogue=frame.dialogue, number=number)
            session.frames[-1] = msgspec.msgpack.decode(before, type=Frame)
            return Text("chat/trouble", number=number), False

    async def _run(self, wired: Wired, frame: Frame, turn: Turn, session: Session) -> tuple[Reply, bool]:
        """Run one dialogue: its reply, and whether it is over."""
        domain = wired.route.domain
        notes = Notes(session.notes)
        session.notes = notes
        citizen = await self._citizen()
        for _ in range(_MOST_ROUNDS):
            ask = Ask(frame, turn, self._words, domain, citizen, self._below(session))
            match = Match(wired.route, frame.rest, frame.holes)
            given = Given(turn.event, match, notes, Nearest(), self._citizen, ask)
            try:
                return await wired(given), True
            except Suspended as waiting:
                frame.open = waiting.question
                waiting.question.first = waiting.question.key == ask.first
                if not waiting.question.first:
                    frame.answers = {key: frame.answers[key] for key in ask.visited if key in frame.answers}
                return waiting.reply, False
            except Ended as ended:
                turn.ends_below, turn.forgets = ended.with_below, ended.forgets
                return ended.reply, True
            except Withdrawn:
                session.stopped = session.frames.pop(-2)
                return self.stopped(session.stopped), True
            except SteppedBack as back:
                self._step_back(frame, turn, back)
            except NothingToChoose as nothing:
                return self._nothing(domain, nothing), True
            except DomainError as refused:
                if refused.stranger:
                    session.citizen = ""
                return Text(f"errors/{refused.code}", **refused.facts), True
        raise RuntimeError(f"dialogue {frame.dialogue} steps back for ever")

    def _below(self, session: Session) -> Below | None:
        if len(session.frames) < MOST_FRAMES:
            return None
        below = session.frames[-MOST_FRAMES]
        return Below(self.title(below), below)

    def _step_back(self, frame: Frame, turn: Turn, back: SteppedBack) -> None:
        keys, kept = list(frame.answers), {}
        if back.said:
            turn.led = turn.led or dict(frame.answers)
            kept = {key: answer for key, answer in frame.answers.items() if answer.kind in _OWN}
            frame.offered, frame.tried = back.said, keys[: keys.index(back.key)]
            frame.refused = ""
        if back.key in keys:
            for key in keys[keys.index(back.key) :]:
                del frame.answers[key]
        frame.answers |= kept
        frame.open = None  # whatever this turn brought was no answer to what is asked now
        if back.because is not None:  # one note: the last one tells what is the case now
            turn.notes[:] = [self._words.refusal(back.because)]

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
            replies.append(Text(self.own(session.frames[-1].dialogue, "offer_human")))
