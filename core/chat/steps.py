"""What can be done with a message: go on, open, step back, stop, say something in passing."""

from collections.abc import Sequence

import msgspec

from core.chat import answers, hearing, moves, openings
from core.chat.events import Event
from core.chat.hearing import Turn
from core.chat.house import House
from core.chat.interrupts import GoesOn
from core.chat.likeness import guesses
from core.chat.prompts import Prompt
from core.chat.replies import Reply, Said, Text
from core.chat.router import Match
from core.chat.routes import Given, Nearest, Notes
from core.chat.runs import Runs
from core.chat.sessions import Frame, Question, Session, kept
from core.chat.speech import join, say
from core.clock import city_day
from core.errors import DomainError

_OFFERED = 2


class Steps:
    """One message with the session of its conversation, which is changed in place."""

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
            session.offers, session.misses, session.done, session.stopped = [], 0, "", None

    @property
    def _runs(self) -> Runs:
        # Made when needed and never kept: it knows us, and a circle would be left to the garbage collector.
        return Runs(self._house.routes, self._words, self._today, self._citizen)

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

    def _ask_to_resume(self, lost: str = "") -> Said:
        """Ask whether to go on; `lost` is what was said and is no answer any more."""
        frame = self._session.frames[-1]
        self._session.resuming = True
        lost = "" if frame.kept else lost
        return self._say(Text("chat/resume", title=self._runs.title(frame), kept=frame.kept, lost=lost))

    async def _back(self, offered: str = "") -> Said:
        """Ask the question before this one again; `offered` is what may answer it, by its name."""
        frame = self._session.frames[-1]
        step = openings.last_step(frame)
        if step and frame.answers[step].kind == "once":
            return await self._advance(notes=[Text("chat/already_settled")])
        if step:
            openings.drop(frame, step)
            if offered:
                frame.offered, frame.tried = offered, list(frame.answers)
            return await self._advance()
        if len(self._session.frames) > 1:
            return await self._cancel()
        return await self._advance(notes=[Text("chat/first_step", stop=moves.way_out(self._question))])

    async def _cancel(self) -> Said:
        """Stop the open dialogue; a no in these words may mean the confirmation below it, too."""
        session = self._session
        counts = not (self._stale or self._unseen)
        frame = session.close_top()
        session.resuming, session.misses, session.done = False, 0, ""
        stopped = self._say(self._runs.stopped(frame))
        if session.top is None:
            session.stopped = frame if frame.open is not None else None
        elif counts and (no := hearing.no_in(self._folded, self._question)):
            turn = Turn(self._event, self._today, said=no, heard=True)
            replies = await self._runs.advance(turn, session, in_passing=True)
            return join([stopped, *map(self._say, replies)], self.at)
        return await self._and_go_on(stopped)

    async def _open(self, match: Match) -> Said:
        """Open a dialogue, or give a handler's one reply and go back to the open question."""
        session, route = self._session, match.route
        aside = route.aside and not (self._stale or self._unseen)
        if route.fallback:
            session.misses += 1
            session.offers = guesses(self._folded, self._house.routes.offered(), _OFFERED)
        else:
            session.misses, session.offers = 0, []
        session.done = session.done if route.aside else ""
        session.resuming, session.stopped = False, None
        prompt = match.prompt
        if route.dialogue:
            if self._idle:
                session.frames.clear()
            frame = await openings.opened(match, self._run_of(route.name), self._house.routes)
            frame.opening = self._event.text if route.beside else ""
            session.open_top(frame)
            if prompt is not None:
                # Read, and not answered yet: who thinks better of 取消 may still say 会到. From here on
                # digits go to the dialogue's own questions, which are newer; its outcome ends the prompt.
                await self._house.prompts.opened(prompt)
            return await self._advance()
        wired = self._house.routes.named(route.name)
        if wired is None:
            raise LookupError(route.name)
        try:
            reply = await wired(self._given(match))
            if prompt is not None:
                # A service that changed something has noted this in its own transaction. A run that died
                # before this line is repeated, and its handler with it: both are done once (`Prompt.effect`).
                await self._house.prompts.answered(prompt)
        except GoesOn as again:
            return await self._go_on_with(again, prompt)
        except DomainError as refused:
            if refused.stranger:
                session.citizen = ""
            reply = Text(f"errors/{refused.code}", **refused.facts)
        return await self._and_go_on(self._say(reply), aside=aside)

    async def _go_on_with(self, again: GoesOn, prompt: Prompt | None) -> Said:
        """Open a dialogue that was kept, where it was; one of before a deploy is gone."""
        session = self._session
        try:
            frame = kept(again.kept)
        except msgspec.DecodeError:
            frame = None
        if frame is None or self._house.routes.named(frame.dialogue) is None:
            return await self._and_go_on(self._say(Text("chat/gone")))
        frame.waits, frame.beside = "", ""
        frame.hints |= again.settles
        if self._idle:
            session.frames.clear()
        session.open_top(frame)
        said = await self._advance(notes=[again.lead])
        if prompt is not None:
            await self._house.prompts.answered(prompt)
        return said

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
        pages: int = 0,
        missed: bool = False,
        notes: Sequence[Text] = (),
    ) -> Said:
        """Run the open dialogue; `said` is the answer in the message if that is not all of it."""
        turn = Turn(self._event, self._today, said=said, heard=heard, pages=pages)
        turn.missed = missed
        turn.notes.extend(self._words.render(note.template, **note.facts) for note in notes)
        before = list(self._session.frames)
        replies = await self._runs.advance(turn, self._session)
        for frame in before:
            if frame.prompt and frame.has_effect and frame not in self._session.frames:
                await self._house.prompts.over(frame.prompt)
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

    def _afresh(self, frame: Frame) -> Frame:
        """The same dialogue at its beginning."""
        return Frame(frame.dialogue, self._run_of(frame.dialogue), rest=frame.rest, holes=frame.holes)

    def _run_of(self, dialogue: str) -> str:
        return f"{self._event.id}/{dialogue}"

    def _say(self, reply: Reply) -> Said:
        return say(reply, self._words, self.at)
