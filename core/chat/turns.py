"""One turn of a conversation: what a message means here and now, and what is answered."""

from core.chat import answers, hearing, idle_talk, moves, openings
from core.chat.events import Event, Kind, Revoked
from core.chat.house import House
from core.chat.inviting import Inviting
from core.chat.moments import is_only_wish, is_wish
from core.chat.replies import Said, Silence, Text
from core.chat.router import Match
from core.chat.sessions import Frame, Question, Session
from core.chat.words import Words

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

    def alarm(self, event: Event) -> Said | None:
        """What danger to life is answered with, whatever becomes of its turn; None if there is none."""
        return self._house.alarm(event)

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


class _Turn(Inviting):
    """One message: what it means here and now."""

    async def answer(self) -> Said:
        """Find out what the event is and answer it."""
        kind = self._event.kind
        if kind not in _WRITTEN:
            self._session.which = []
        if self._is_wanted(kind):
            return await self._advance(heard=True)
        if kind is Kind.AUTHORIZATION_REVOKED and isinstance(self._event.detail, Revoked):
            self._session.give_back(self._event.detail.info)
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

    async def _written(self) -> Said:
        if not self._folded:
            return await self._not_understood("not_heard")
        if self._folded == _UNREADABLE:
            return await self._sent()
        self._stopped, self._session.stopped = self._session.stopped, None
        if (alarm := self._house.alarm(self._event)) is not None:
            self._session.break_off()
            return alarm
        if (said := await self._invited()) is not None or (said := await self._global()) is not None:
            return said
        if self._session.frames:
            return await self._under_way()
        return await self._anew(self._event.text, self._folded)

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
            kept = moves.keeps(self._folded) and not any(frame.takes_back for frame in self._session.frames)
            return await (self._advance() if kept and not stale else self._cancel())
        return await self._move(said, question) if question is not None and not stale else None

    async def _move(self, said: str, question: Question) -> Said | None:
        """Move about in the open dialogue: back, once more, further down the list."""
        if answers.is_name(self._folded, question.options):
            return None
        back_a_page = said in moves.PAGE_BACK or (question.page and said in moves.BACK)
        if back_a_page and question.kind == "choice":
            return await self._advance(pages=-1)
        if said in moves.BACK or said in moves.STEP_BACK or self._mistook(question):
            return await self._back()
        frame, routes = self._session.frames[-1], self._house.routes
        if openings.back(frame, routes, said):
            return await self._advance()
        if question.kind == "choice" and (said in moves.MORE or openings.asks_here(frame, routes, said)):
            return await self._advance(pages=1)
        return await self._again(said, question)

    async def _again(self, said: str, question: Question) -> Said | None:
        """Ask the open question once more, or the first one: 重说, 重来."""
        frame = self._session.frames[-1]
        if said in moves.ANEW and question.kind != "text" and not frame.has_effect:
            self._session.frames[-1] = self._afresh(frame)
            return await self._advance()
        if said not in moves.AGAIN:
            return None
        numbered = answers.is_number(self._folded)
        return await self._advance(notes=[Text("chat/once_more")] if numbered else ())

    def _mistook(self, question: Question) -> bool:
        """Tell whether 不对 means the step before; where there is none, it is a no to a confirmation."""
        if question.kind == "text" or not moves.is_wrong(self._folded):
            return False
        frame = self._session.frames[-1]
        step = openings.last_step(frame)
        return question.kind != "confirm" or bool(step and frame.answers[step].kind != "once")

    async def _under_way(self) -> Said:
        if self._idle or self._session.resuming:
            return await self._resume()
        routes = self._house.routes
        if self._unseen:
            match = routes.whole(self._folded)
            return await (self._open(match) if match else self._advance(notes=[Text(self._unseen)]))
        return await self._said_beside() or await self._answered_or_led()

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
            return elsewhere or await self._corrected() or await self._advance(heard=True)
        if back := openings.taken_back(match, routes):
            other = routes.whole(back)
            return await (self._open(other) if other else self._cancel())
        same = self._session.frames[-1].dialogue == match.route.name
        if same and question is not None and hearing.speaks_to(match.rest, question, self._today):
            return await self._advance(heard=True, said=match.rest)  # "预约第二个" while 预约 is open
        return await self._open(match)

    async def _said_beside(self) -> Said | None:
        """Ask about what is said beside the questions of the open dialogue, or of one these words open."""
        question = self._question
        own_words = question is not None and question.kind in _OWN_WORDS
        if own_words or (question is not None and answers.is_name(self._folded, question.options)):
            return None
        frame, routes = self._session.frames[-1], self._house.routes
        wired = routes.named(frame.dialogue)
        heard = await wired.beside(self._folded) if wired is not None and not frame.has_effect else None
        if heard is not None and wired is not None:
            openings.say_beside(frame, wired.route, heard.about)
            return await self._advance()
        match = await routes.beside(self._folded)
        return await self._open(match) if match is not None else None

    async def _corrected(self) -> Said | None:
        """Take what follows 不对 or 我选错了 for the answer that is meant, here or one question back."""
        question, rest = self._question, moves.instead(self._folded)
        if not rest or question is None or question.kind == "text":
            return None
        if moves.stops(rest):
            return await self._cancel()
        return await (
            self._advance(heard=True, said=rest) if is_wish(rest, self._today) else self._back(rest)
        )

    async def _anew(self, text: str, folded: str) -> Said:
        """Open what a message asks for where nothing is open."""
        routes = self._house.routes
        match = await routes.beside(folded) or routes.whole(folded) or self._offered()
        match = match or routes.within(folded) or routes.within_alone(folded)
        if match is None and self._stopped is not None:
            again = await self._reopened(self._stopped)
            if again is not None:
                return again
        match = match or routes.alone(folded, self._today)
        if match is None and self._gone:
            return self._say(Text("chat/gone"))
        if match is not None and (back := openings.taken_back(match, routes)):
            return await self._anew(back, back)
        if match is None and answers.number(folded) == answers.HUMAN:
            match = routes.anywhere(moves.DIGIT_WORDS[answers.HUMAN])
        if match is None and (nothing := idle_talk.answer(text, self._session, routes, self._words)):
            return self._say(nothing)
        return await self._open(match or await routes.naming(folded) or self._fallback())

    async def _reopened(self, frame: Frame) -> Said | None:
        """Open again what the message before stopped, where this one takes that back or goes on with it."""
        anew = self._folded in moves.ANEW
        heard = is_only_wish(self._folded, self._today)
        if self._house.routes.named(frame.dialogue) is None or not (
            anew or heard or moves.goes_on(self._folded)
        ):
            return None
        self._session.frames.append(self._afresh(frame) if anew else frame)
        return await self._advance(heard=heard)

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
        match = await routes.beside(self._folded) or routes.whole(self._folded)
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
            self._session.frames[-1] = self._afresh(self._session.frames[-1])
            return await self._advance()
        if agreed is False:
            return await self._cancel()
        hearing.keep(self._session.frames[-1], self._event)
        return self._ask_to_resume("" if self._session.resuming else self._event.text)

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
