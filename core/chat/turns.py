"""One turn of a conversation: what a message means here and now, and what is answered."""

from collections.abc import Sequence

from core.chat import answers, hearing, idle_talk, moves, openings
from core.chat.events import Event, Kind
from core.chat.hearing import Turn
from core.chat.house import House
from core.chat.replies import Reply, Said, Silence, Text
from core.chat.router import Match
from core.chat.routes import Given, Nearest, Notes
from core.chat.runs import Runs
from core.chat.sessions import MOST_FRAMES, Frame, Question, Session
from core.chat.speech import join, say
from core.chat.words import Words
from core.clock import city_day
from core.errors import DomainError

_WRITTEN = frozenset((Kind.TEXT, Kind.VOICE))
_SENT = frozenset(
    (Kind.IMAGE, Kind.VIDEO, Kind.SHORTVIDEO, Kind.LOCATION, Kind.LINK, Kind.FILE, Kind.MINIPROGRAM)
)
_UNREADABLE = answers.fold("【收到不支持的消息类型，暂无法显示】")  # what the platform writes for a sticker
_PICKED = frozenset(("choice", "confirm"))
_OWN_WORDS = frozenset(("text", "date", "place"))  # here the beginning of a message opens nothing
_WANTED = {"photo": Kind.IMAGE, "place": Kind.LOCATION}
_OFFERED = 2


class Turns:
    """Takes messages one at a time, each with the session of its conversation."""

    def __init__(self, house: House) -> None:
        self._house = house

    @property
    def words(self) -> Words:
        """The words of this bot's city."""
        return self._house.words

    async def meet(self, event: Event) -> None:
        """Make sure that the way back to whoever wrote is known; who leaves is not called back by it."""
        if event.kind is not Kind.UNSUBSCRIBE:
            await self._house.identify(event)

    async def take(self, event: Event, session: Session, *, shown: bool = True) -> Said:
        """Answer one event; `session` is changed in place. `shown`: the open question reached the citizen."""
        turn = _Turn(self._house, event, session, shown=shown)
        said = await turn.answer()
        if said.type:  # a silent event is no sign that anybody is there
            session.seen_at = turn.at
        return said


class _Turn:
    def __init__(self, house: House, event: Event, session: Session, *, shown: bool) -> None:
        now = house.clock.timestamp()
        self._house = house
        self._event = event
        self._session = session
        self._today = city_day(now)
        self._words = house.words.on(self._today)
        self._shown = shown
        self._folded = answers.fold(event.text)
        self._gone = self._drop_gone()
        self.at = int(now)
        late = self.at - session.seen_at > house.idle.total_seconds()
        self._idle = bool(session.frames) and late
        if late:
            session.offers, session.misses, session.done = [], 0, ""

    @property
    def _runs(self) -> Runs:
        # Made when needed and never kept: it knows us, and a circle would be left to the garbage collector.
        return Runs(self._house.routes, self._words, self._today, self._citizen)

    async def answer(self) -> Said:
        """Find out what the event is and answer it."""
        kind = self._event.kind
        if self._is_wanted(kind):
            return await self._advance(heard=True)
        if (match := self._house.routes.kind(kind)) is not None:
            said = await self._open(match)
            if kind is Kind.UNSUBSCRIBE:
                self._session.forget()
            return said
        if kind is Kind.CLICK:
            return await self._open(self._house.routes.click(self._event.key) or self._fallback())
        if kind in _WRITTEN:
            return await self._written()
        return await self._sent() if kind in _SENT else self._say(Silence())

    def _drop_gone(self) -> bool:
        """Drop dialogues that a deploy removed; tell whether there were any."""
        session = self._session
        if not session.frames:
            return False
        known = [frame for frame in session.frames if self._house.routes.named(frame.dialogue)]
        if len(known) == len(session.frames):
            return False
        session.frames, session.resuming = known, False
        return True

    async def _written(self) -> Said:
        if not self._folded:
            return await self._not_understood("not_heard")
        if self._folded == _UNREADABLE:
            return await self._sent()
        if (flag := self._house.red_flags.raised_by(self._folded)) is not None:
            self._session.frames, self._session.offers = [], []
            self._session.resuming, self._session.done = False, ""
            return self._say(Text(flag))
        said = await self._global()
        if said is not None:
            return said
        if self._session.frames:
            return await self._under_way()
        return await self._anew()

    async def _sent(self) -> Said:
        """A picture, a place, a film, a sticker that no question wants."""
        question = self._question
        other_wanted = question is not None and question.kind in _WANTED
        return await self._not_understood("not_wanted" if other_wanted else "need_words")

    def _is_wanted(self, kind: Kind) -> bool:
        """Tell whether the open question asks for just such a thing."""
        question = self._question
        if question is None or _WANTED.get(question.kind) is not kind:
            return False
        return not (self._unseen or self._idle or self._session.resuming)

    async def _global(self) -> Said | None:
        """Words that mean the same everywhere, and digits that stand for them while a list is open."""
        said = self._folded
        question, stale = self._question, self._stale
        if question is not None and question.kind in _PICKED and self._shown and not stale:
            if question.kind == "confirm" and answers.named(self._folded, question.options) is not None:
                return None  # "退号" to "要取消这个号吗？" is a yes
            said = moves.word_of_digit(self._folded, question, self._today)
        if (match := self._house.routes.anywhere(said)) is not None:
            return await self._open(match)
        if self._session.frames and moves.stop_here(self._folded, None if stale else question):
            return await self._cancel()
        return await self._move(said, question) if question is not None and not stale else None

    async def _move(self, said: str, question: Question) -> Said | None:
        """Move about in the open dialogue: back, once more, further down the list."""
        if answers.is_name(self._folded, question.options):
            return None
        if said in moves.BACK:
            return await self._back()
        if openings.back(self._session.frames[-1], self._house.routes, said):
            return await self._advance()
        if said in moves.AGAIN:
            return await self._advance()
        further = said in moves.MORE or openings.asks_here(self._session.frames[-1], self._house.routes, said)
        if further and question.kind == "choice":
            return await self._advance(more=True)
        return None

    async def _under_way(self) -> Said:
        if self._idle or self._session.resuming:
            return await self._resume()
        routes = self._house.routes
        if self._unseen:
            match = routes.whole(self._folded)
            return await (self._open(match) if match else self._advance(notes=[Text(self._unseen)]))
        return await self._warned() or await self._answered_or_led()

    async def _answered_or_led(self) -> Said:
        """Take the message as an answer, or go where its words lead."""
        routes, question = self._house.routes, self._question
        if question is not None and hearing.is_answer(self._folded, question, self._today):
            return await self._advance(heard=True)
        match = routes.whole(self._folded)
        elsewhere: Said | None = None
        if match is None and (question is None or question.kind not in _OWN_WORDS):
            match = routes.within(self._folded)
            elsewhere = await self._elsewhere() if match is None else None
        if match is None:
            return elsewhere or await self._advance(heard=True)
        same = self._session.frames[-1].dialogue == match.route.name
        if same and question is not None and hearing.speaks_to(match.rest, question, self._today):
            return await self._advance(heard=True, said=match.rest)  # "预约第二个" while 预约 is open
        return await self._open(match)

    async def _warned(self) -> Said | None:
        """Ask about what the open dialogue, or the one these words open, cannot do."""
        question = self._question
        own_words = question is not None and question.kind in _OWN_WORDS
        if own_words or (question is not None and answers.is_name(self._folded, question.options)):
            return None
        frame, routes = self._session.frames[-1], self._house.routes
        wired = routes.named(frame.dialogue)
        heard = await wired.caveat(self._folded) if wired is not None else None
        if heard is not None:
            frame.caveat = heard.about
            return await self._advance()
        match = await routes.despite(self._folded)
        return await self._open(match) if match is not None else None

    async def _anew(self) -> Said:
        routes = self._house.routes
        match = await routes.despite(self._folded) or routes.whole(self._folded) or self._offered()
        match = match or routes.within(self._folded) or routes.alone(self._folded, self._today)
        if match is None and self._gone:
            return self._say(Text("chat/gone"))
        if match is None and (
            nothing := idle_talk.answer(self._event.text, self._session, routes, self._words)
        ):
            return self._say(nothing)
        return await self._open(match or await routes.naming(self._folded) or self._fallback())

    async def _elsewhere(self) -> Said | None:
        """Go where a name leads that no line shown has: to another dialogue, or another way in this one."""
        frame = self._session.frames[-1]
        match = await self._house.routes.naming(self._folded, frame.dialogue)
        if match is None or match.found is None or not match.found.settles:
            return None
        if frame.dialogue != match.route.name:
            return await self._open(match)
        changed = openings.turn(frame, match.found)
        if changed is None:
            return None
        own = f"{match.route.domain}/named"
        note = Text(own if self._words.has(own) else "chat/named", it=match.found.it)
        return await self._advance(notes=[note] if changed else ())

    def _offered(self) -> Match | None:
        """The service a fallback offered and this message picks."""
        offers = self._session.offers
        offer = answers.pick(self._folded, offers) if offers and self._shown else None
        wired = self._house.routes.named(offer.id) if offer else None
        return Match(wired.route) if wired else None

    async def _resume(self) -> Said:
        """After a long silence: no answer counts before the citizen says whether to go on."""
        routes = self._house.routes
        match = await routes.despite(self._folded) or routes.whole(self._folded)
        match = match or routes.within(self._folded)
        if match is not None:
            self._session.frames.clear()
            return await self._open(match)
        asked = self._session.resuming and self._shown
        number = answers.number(self._folded) if asked else None
        agreed = answers.yes_or_no(self._folded) if asked else None
        if self._folded in moves.GO_ON or number == 1 or agreed:
            self._session.resuming = False
            kept, self._session.frames[-1].kept = self._session.frames[-1].kept, ""
            return await (self._advance(heard=True, said=kept) if kept else self._advance())
        if self._folded in moves.ANEW or number == _OFFERED:
            self._session.resuming = False
            old = self._session.frames[-1]
            self._session.frames[-1] = Frame(
                old.dialogue, self._run_of(old.dialogue), rest=old.rest, holes=old.holes
            )
            return await self._advance()
        if agreed is False:
            return await self._cancel()
        hearing.keep(self._session.frames[-1], self._event)
        return self._ask_to_resume("" if self._session.resuming else self._event.text)

    def _ask_to_resume(self, lost: str = "") -> Said:
        """Ask whether to go on; `lost` is what was said and is no answer any more."""
        frame = self._session.frames[-1]
        self._session.resuming = True
        lost = "" if frame.kept else lost
        return self._say(Text("chat/resume", title=self._runs.title(frame), kept=frame.kept, lost=lost))

    async def _back(self) -> Said:
        frame = self._session.frames[-1]
        step = openings.last_step(frame)
        if step and frame.answers[step].kind == "once":
            return await self._advance(notes=[Text("chat/already_settled")])
        if step:
            openings.drop(frame, step)
            return await self._advance()
        if len(self._session.frames) > 1:
            return await self._cancel()
        return await self._advance(notes=[Text("chat/first_step", stop=moves.way_out(self._question))])

    async def _cancel(self) -> Said:
        frame = self._session.frames.pop()
        self._session.resuming, self._session.misses, self._session.done = False, 0, ""
        return await self._and_go_on(self._say(self._runs.stopped(frame)))

    async def _not_understood(self, what: str) -> Said:
        frame = self._session.top
        own = self._runs.own(frame.dialogue if frame else self._session.done, what)
        if frame is None:
            return self._say(Text("chat/gone") if self._gone else Text(own, done=True))
        if self._idle or self._session.resuming:
            return self._ask_to_resume()
        if self._unseen:
            return await self._advance(notes=[Text(self._unseen)])
        return await self._advance(notes=[Text(own, done=False)], missed=True)

    def _fallback(self) -> Match:
        return Match(self._house.routes.fallback.route)

    async def _open(self, match: Match) -> Said:
        """Open a dialogue, or give a handler's one reply and go back to the open question."""
        session, route = self._session, match.route
        aside = route.aside and not (self._stale or self._unseen)
        if route.fallback:
            session.misses += 1
            session.offers = answers.guesses(self._folded, self._house.routes.offered(), _OFFERED)
        else:
            session.misses, session.offers = 0, []
        session.done = session.done if route.aside else ""
        session.resuming = False
        if route.dialogue:
            if self._idle:
                session.frames.clear()
            others = [frame for frame in session.frames if frame.dialogue != route.name]
            frame = await openings.opened(match, self._run_of(route.name), self._house.routes)
            session.frames[:] = [*others[1 - MOST_FRAMES :], frame]  # the one talked about last is kept
            return await self._advance()
        wired = self._house.routes.named(route.name)
        if wired is None:
            raise LookupError(route.name)
        try:
            reply = await wired(self._given(match))
        except DomainError as refused:
            if refused.stranger:
                session.citizen = ""
            reply = Text(f"errors/{refused.code}", **refused.facts)
        return await self._and_go_on(self._say(reply), aside=aside)

    def _given(self, match: Match) -> Given:
        notes = Notes(self._session.notes)
        self._session.notes = notes
        nearest = Nearest(self._session.offers)
        return Given(self._event, match, notes, nearest, self._citizen)

    async def _and_go_on(self, said: Said, *, aside: bool = False) -> Said:
        """Say something in passing; an open question is asked again behind it, or `aside` left as it is."""
        frame = self._session.top
        if frame is None or said.type != "text":
            return said
        if aside and frame.open is not None:
            until = self._house.clock.now() + self._house.idle
            kept = Text("chat/stays_open", title=self._runs.title(frame), kind=frame.open.kind, until=until)
            return join([said, self._say(kept)], self.at)
        if self._idle:
            return join([said, self._ask_to_resume()], self.at)
        turn = Turn(self._event, self._today)
        replies = await self._runs.advance(turn, self._session, in_passing=True)
        back = Text("chat/back_to", title=self._runs.title(frame))
        return join([said, *(self._say(reply) for reply in (back, *replies))], self.at)

    async def _advance(
        self,
        *,
        heard: bool = False,
        said: str | None = None,
        more: bool = False,
        missed: bool = False,
        notes: Sequence[Text] = (),
    ) -> Said:
        """Run the open dialogue; `said` is the answer in the message if that is not all of it."""
        turn = Turn(self._event, self._today, said=said, heard=heard, more=more)
        turn.missed = missed
        turn.notes.extend(self._words.render(note.template, **note.facts) for note in notes)
        replies = await self._runs.advance(turn, self._session)
        return join([self._say(reply) for reply in replies], self.at)

    async def _citizen(self) -> str:
        if not self._session.citizen:
            self._session.citizen = await self._house.identify(self._event)
        return self._session.citizen

    @property
    def _unseen(self) -> str:
        """Why the open question has to be repeated before an answer counts, as a template; "" if not."""
        if self._gone:
            return "chat/gone"
        return "" if self._shown else "chat/not_delivered"

    @property
    def _stale(self) -> bool:
        """Tell whether the open question is no more what the citizen answers."""
        return self._idle or self._session.resuming or self._gone

    @property
    def _question(self) -> Question | None:
        frame = self._session.top
        return frame.open if frame else None

    def _run_of(self, dialogue: str) -> str:
        return f"{self._event.id}/{dialogue}"

    def _say(self, reply: Reply) -> Said:
        return say(reply, self._words, self.at)
