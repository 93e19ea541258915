"""One turn of a conversation: what a message means here and now, and what is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from core.chat import answers
from core.chat.events import Event, Kind
from core.chat.redflags import RedFlags
from core.chat.replies import Reply, Said, Silence, Text
from core.chat.router import Match
from core.chat.routes import Given, Nearest, Notes, Routes
from core.chat.runs import Runs
from core.chat.sessions import MOST_FRAMES, Frame, Question, Session
from core.chat.speech import join, say
from core.chat.words import Words
from core.clock import Clock

Identify = Callable[[Event], Awaitable[str]]

_WRITTEN = frozenset((Kind.TEXT, Kind.VOICE))
_SENT = frozenset(
    (Kind.IMAGE, Kind.VIDEO, Kind.SHORTVIDEO, Kind.LOCATION, Kind.LINK, Kind.FILE, Kind.MINIPROGRAM)
)
_BACK = answers.fold_all("返回 上一步 返回上一步 后退")
_CANCEL = answers.fold_all("取消 退出 不办了 取消办理")
_AGAIN = answers.fold_all("重说 再说一遍 重复 再说一次 没听清")
_MORE = answers.fold_all("更多 下一页 还有吗 其他")
_HUMAN = answers.fold("人工")
_PICKED = frozenset(("choice", "confirm"))
_OFFERED = 2


@dataclass(frozen=True, slots=True)
class House:
    """What every turn needs and no turn changes."""

    routes: Routes
    words: Words
    red_flags: RedFlags
    identify: Identify
    clock: Clock
    idle: timedelta = timedelta(minutes=15)


class Turns:
    """Takes messages one at a time, each with the session of its conversation."""

    def __init__(self, house: House) -> None:
        self._house = house

    async def take(self, event: Event, session: Session, *, shown: bool = True) -> Said:
        """Answer one event; `session` is changed in place. `shown`: the open question reached the citizen."""
        turn = _Turn(self._house, event, session, shown=shown)
        said = await turn.answer()
        session.seen_at = turn.at
        return said


class _Turn:
    def __init__(self, house: House, event: Event, session: Session, *, shown: bool) -> None:
        now = house.clock.now()
        self._house = house
        self._event = event
        self._session = session
        self._shown = shown
        self._folded = answers.fold(event.text)
        self._idle = bool(session.frames) and now.timestamp() - session.seen_at > house.idle.total_seconds()
        self.at = int(now.timestamp())
        self._runs = Runs(house.routes, house.words, now.date(), self._citizen)

    async def answer(self) -> Said:
        """Find out what the event is and answer it."""
        kind = self._event.kind
        if (match := self._house.routes.kind(kind)) is not None:
            said = await self._open(match)
            if kind is Kind.UNSUBSCRIBE:
                self._forget()
            return said
        if kind is Kind.CLICK:
            return await self._open(self._house.routes.click(self._event.key) or self._fallback())
        if kind in _WRITTEN:
            return await self._written()
        return await self._sent() if kind in _SENT else self._say(Silence())

    def _forget(self) -> None:
        """Who leaves takes the open conversation along (wechat-facts 5, item 10)."""
        session = self._session
        session.frames, session.offers, session.notes, session.citizen = [], [], {}, ""

    async def _written(self) -> Said:
        if not self._folded:
            return await self._not_understood("chat/not_heard")
        if (flag := self._house.red_flags.raised_by(self._folded)) is not None:
            self._session.frames.clear()
            self._session.offers = []
            return self._say(Text(flag))
        said = await self._global()
        if said is not None:
            return said
        if self._session.frames:
            return await self._under_way()
        return await self._anew()

    async def _sent(self) -> Said:
        """A picture, a place, a film: an answer to a question that wants it, else not understood."""
        question = self._question
        wanted = {"photo": (Kind.IMAGE,), "place": (Kind.LOCATION,)}.get(
            question.kind if question else "", ()
        )
        if self._event.kind in wanted and self._shown and not self._idle and not self._session.resuming:
            return await self._advance(heard=True)
        return await self._not_understood("chat/need_words")

    async def _global(self) -> Said | None:
        """Words that mean the same everywhere, and digits that stand for them while a list is open."""
        said = self._folded
        question = self._question
        stale = self._idle or self._session.resuming
        if question is not None and question.kind in _PICKED and self._shown and not stale:
            said = _DIGIT_WORDS.get(said, said)
        if (match := self._house.routes.anywhere(said)) is not None:
            return await self._open(match)
        if self._session.frames and said in _CANCEL:
            return await self._cancel()
        return await self._move(said) if question is not None and not stale else None

    async def _move(self, said: str) -> Said | None:
        """Move about in the open dialogue: back, once more, further down the list."""
        if said in _BACK:
            return await self._back()
        if said in _AGAIN:
            return await self._advance()
        if said in _MORE and self._question is not None and self._question.kind == "choice":
            return await self._advance(more=True)
        return None

    async def _under_way(self) -> Said:
        if self._idle or self._session.resuming:
            return await self._resume()
        if not self._shown:
            return await self._advance(notes=["chat/not_delivered"])
        question = self._question
        if question is not None and question.kind in _PICKED:
            if answers.pick(self._folded, question.options) is not None or self._agrees(question.kind):
                return await self._advance(heard=True)
            match = self._house.routes.whole(self._folded) or self._house.routes.within(self._folded)
        else:
            match = self._house.routes.whole(self._folded)
        return await (self._open(match) if match else self._advance(heard=True))

    def _agrees(self, kind: str) -> bool:
        return kind == "confirm" and answers.yes_or_no(self._folded) is not None

    async def _anew(self) -> Said:
        routes, offers = self._house.routes, self._session.offers
        match = routes.whole(self._folded)
        if match is None and (offer := answers.pick(self._folded, offers)) is not None:
            wired = routes.named(offer.id)
            match = Match(wired.route) if wired else None
        return await self._open(match or routes.within(self._folded) or self._fallback())

    async def _resume(self) -> Said:
        """After a long silence: no answer counts before the citizen says whether to go on."""
        match = self._house.routes.whole(self._folded) or self._house.routes.within(self._folded)
        if match is not None:
            self._session.frames.clear()
            return await self._open(match)
        picked = answers.number(self._folded) if self._session.resuming else None
        agreed = answers.yes_or_no(self._folded) if self._session.resuming else None
        if picked == 1 or agreed is True or (self._session.resuming and self._folded == "继续"):
            self._session.resuming = False
            return await self._advance()
        frame = self._session.frames[-1]
        if picked == _OFFERED or agreed is False or (self._session.resuming and self._folded == "重新开始"):
            self._session.resuming = False
            self._session.frames[-1] = Frame(frame.dialogue, self._run_of(frame.dialogue))
            return await self._advance()
        return self._ask_to_resume()

    def _ask_to_resume(self) -> Said:
        self._session.resuming = True
        return self._say(Text("chat/resume", title=self._title(self._session.frames[-1])))

    async def _back(self) -> Said:
        frame = self._session.frames[-1]
        settled = list(frame.answers)
        if settled and frame.answers[settled[-1]].kind == "once":
            return await self._advance(notes=["chat/already_settled"])
        if settled:
            del frame.answers[settled[-1]]
            frame.open = None
            return await self._advance()
        if len(self._session.frames) > 1:
            return await self._cancel()
        return await self._advance(notes=["chat/first_step"])

    async def _cancel(self) -> Said:
        frame = self._session.frames.pop()
        self._session.resuming = False
        cancelled = self._say(Text("chat/cancelled", title=self._title(frame)))
        return await self._and_go_on(cancelled)

    async def _not_understood(self, template: str) -> Said:
        if not self._session.frames:
            return self._say(Text(template))
        if self._idle or self._session.resuming:
            return self._ask_to_resume()
        return await self._advance(notes=[template])

    def _fallback(self) -> Match:
        return Match(self._house.routes.fallback.route)

    async def _open(self, match: Match) -> Said:
        """Open a dialogue, or give a handler's one reply and go back to the open question."""
        session, route = self._session, match.route
        if route.fallback:
            session.misses += 1
            session.offers = answers.nearest(self._folded, self._house.routes.offered())[:_OFFERED]
        else:
            session.misses, session.offers = 0, []
        session.resuming = False
        if route.dialogue:
            if self._idle:
                session.frames.clear()
            others = [frame for frame in session.frames if frame.dialogue != route.name]
            frame = Frame(route.name, self._run_of(route.name), offered=match.rest)
            session.frames[:] = [*others[: MOST_FRAMES - 1], frame]
            return await self._advance()
        wired = self._house.routes.named(route.name)
        if wired is None:
            raise LookupError(route.name)
        reply = await wired(self._given(match))
        return await self._and_go_on(self._say(reply))

    def _given(self, match: Match) -> Given:
        notes = Notes(self._session.notes)
        self._session.notes = notes
        nearest = Nearest(self._session.offers)
        return Given(self._event, match, notes, nearest, self._citizen)

    async def _and_go_on(self, said: Said) -> Said:
        """Say something in passing; an open question is asked again behind it."""
        frame = self._session.top
        if frame is None or said.type != "text":
            return said
        if self._idle:
            return join([said, self._ask_to_resume()], self.at)
        back = self._say(Text("chat/back_to", title=self._title(frame)))
        return join([said, back, await self._advance()], self.at)

    async def _advance(
        self, *, heard: bool = False, more: bool = False, notes: list[str] | None = None
    ) -> Said:
        said_before = [self._house.words.render(note) for note in notes or []]
        replies = await self._runs.advance(
            self._event, self._session, heard=heard, more=more, notes=said_before
        )
        return join([self._say(reply) for reply in replies], self.at)

    async def _citizen(self) -> str:
        if not self._session.citizen:
            self._session.citizen = await self._house.identify(self._event)
        return self._session.citizen

    @property
    def _question(self) -> Question | None:
        frame = self._session.top
        return frame.open if frame else None

    def _run_of(self, dialogue: str) -> str:
        return f"{self._event.id}/{dialogue}"

    def _title(self, frame: Frame) -> str:
        wired = self._house.routes.named(frame.dialogue)
        return wired.route.title if wired else frame.dialogue

    def _say(self, reply: Reply) -> Said:
        return say(reply, self._house.words, self.at)


_DIGIT_WORDS = {
    answers.HUMAN: _HUMAN,
    answers.AGAIN: "重说",
    answers.BACK: "返回",
    answers.MORE: "更多",
}
