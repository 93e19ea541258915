"""A dialogue asks: it runs again from the top on every turn, and settled questions answer themselves."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date
from typing import NoReturn

import msgspec

from core.chat import answers, lists, moves
from core.chat.choosing import NothingToChoose
from core.chat.dates import say_date
from core.chat.events import Kind, Media, Place
from core.chat.interrupts import Ended, SteppedBack, Suspended, Withdrawn
from core.chat.moments import is_wish, named_moment
from core.chat.replies import Text
from core.chat.sessions import Option, Question
from core.chat.stacking import Stacking
from core.effects import AlreadyDone, Effect, digest_of
from core.errors import DomainError

__all__ = ["Ask", "NothingToChoose"]


class Ask(Stacking):
    """The questions of one run of a dialogue, and the citizen who answers them."""

    @property
    def today(self) -> date:
        """The day of this turn in the city."""
        return self._turn.today

    async def wish(
        self, key: str, show: Callable[[str], Awaitable[object]] | None = None, *, narrows: str = ""
    ) -> str:
        """What names narrow the lists to come to; "" for nothing.

        Once it is said back, as `templates/<domain>/<key>_wish.txt` with what `show` returns as `it`. An
        answer to the question `narrows` falls; where the same words answer it, nothing is left to narrow.
        """
        frame = self._frame
        if key in frame.hints:
            wished = frame.hints.pop(key)
            frame.wishes[key] = "" if narrows in frame.hints else wished
            if narrows not in frame.hints:
                self._drop(narrows)
            if show is not None and frame.wishes[key]:
                self._note(self._template(f"{key}_wish"), it=await show(wished))
        return frame.wishes.get(key, "")

    def forget(self, *keys: str) -> None:
        """Give up wishes: there is nothing like them, or nothing more to ask about them."""
        for key in keys:
            self._frame.wishes.pop(key, None)

    def keep_elsewhere(self, key: str) -> None:
        """Forget an answer that a service keeps, and tells before this is asked: no step leads back to it."""
        self._frame.answers.pop(key, None)

    def widen(self, key: str, *wishes: str) -> None:
        """Give up wishes where 更多 is said to all there is in the list of `key` that they narrow."""
        turn, shown = self._turn, self._shown(key, "choice")
        narrowed = any(self._frame.wishes.get(wish) for wish in wishes)
        if turn.pages > 0 and narrowed and shown is not None and len(shown.options) < lists.PAGE:
            self.forget(*wishes)
            turn.pages = 0

    def settle(self, **settled: str) -> None:
        """Answer questions to come."""
        for key in settled:
            self._drop(key)
        self._frame.hints |= settled

    def _drop(self, key: str) -> None:
        """Drop an answer and all after it."""
        kept = list(self._frame.answers)
        if key in kept:
            self._frame.answers = {each: self._frame.answers[each] for each in kept[: kept.index(key)]}

    async def notice(
        self,
        key: str,
        find: Callable[[str], Awaitable[object]],
        *,
        before: str = "",
        whole: bool = False,
    ) -> bool:
        """Say something of the opening words, or of an answer, where `find` returns what it is about.

        That is `said` in `templates/<domain>/<key>.txt`; the words are then no riddle, and no answer.
        `before`: only until that question is answered. `whole`: of opening words all, names and verbs, too.
        """
        frame, turn = self._frame, self._turn
        opening = frame.open is None and not self._begun
        all_of_it = frame.opening or turn.event.text
        opened = answers.fold(all_of_it if whole else frame.offered)
        words = answers.fold(turn.said) if turn.heard else opened if opening else ""
        late = before in frame.answers or before in frame.hints
        if not words or late or not (said := await find(words)):
            return False
        self._note(self._template(key), said=said)
        turn.told = True
        return True

    def dismiss(self) -> None:
        """Leave what was said: it is told what there is to it."""
        self._frame.offered, self._turn.heard = "", False

    async def confirm(
        self, key: str, load: Callable[[], Awaitable[object]], yes: Sequence[str] = (), no: Sequence[str] = ()
    ) -> None:
        """Show what `load` returns (as `it` in the template) and go on only after a yes; a no ends here.

        The lines are `<key>_yes` and `<key>_no` of the domain's templates, the farewell is `<key>_declined`;
        chat/yes, chat/no and chat/declined stand in. `yes` and `no` are further words that mean them here,
        and here only: they go before the words that mean something everywhere.
        """
        if isinstance(yes, str) or isinstance(no, str):
            raise TypeError(f'confirm("{key}"): yes and no are sequences of words, such as ("退号",)')
        if self._known(key, "confirm") is not None:
            return
        said = self._said(key, "confirm")
        options = [
            Option(which, self._words.render(self._own_or(f"{key}_{which}", f"chat/{which}")), tuple(further))
            for which, further in (("yes", yes), ("no", no))
        ]
        if said:
            agreed = answers.agrees(said, options)
            if agreed:
                self._settle(key, "confirm", "yes")
                return
            if agreed is False:
                raise Ended(Text(self._own_or(f"{key}_declined", "chat/declined")))
        again = bool(said) and self._miss_confirm(key, said, options)
        if self._came_round:
            self._miss(key, "chat/either", yes=options[0].label, no=options[1].label)
        lead = self._words.question(self._template(key), it=await load()).lead
        labels = [option.label for option in options]
        question = Question(key, "confirm", options, again=again)
        raise Suspended(question, self._text("chat/confirm", lead, lines=labels))

    async def takes_back(self, load: Callable[[], Awaitable[Sequence[object]]]) -> None:
        """Say that this dialogue takes something back, and `load` what of it there is.

        取消挂号 in the middle of 挂号 may mean that one: where there is nothing to take back, it stops.
        """
        frame = self._frame
        begins = frame.open is None and not frame.answers
        frame.takes_back = True
        if (
            begins
            and self._below is not None
            and self._turn.event.kind is not Kind.CLICK
            and not await load()
        ):
            raise Withdrawn

    async def text(
        self,
        key: str,
        check: Callable[[str], str | Awaitable[str]] | None = None,
        load: Callable[[], Awaitable[object]] | None = None,
    ) -> str:
        """Ask for words of the citizen's own; `check` returns them tidied or refuses with a `DomainError`.

        What `load` returns stands in the template as `it`.
        """
        if (known := self._known(key, "text")) is not None:
            return known
        first = self._shown(key, "text") is None and self._is_first
        offered = self._take_offer(key) if first else ""
        said = self._turn.own_words if self._said(key, "text") else offered
        if said and (tidied := await self._checked(check, said)) is not None:
            return self._settle(key, "text", tidied)
        facts = {"it": await load()} if load else {}
        raise self._suspended(key, "text", **facts)

    async def date(self, key: str, check: Callable[[date], date | Awaitable[date]] | None = None) -> date:
        """Ask for a day (今天, 下周三, 11月25日, …); `check` may refuse it with a `DomainError`."""
        self._timed.append(key)
        if (known := self._known(key, "date")) is not None:
            return date.fromisoformat(known)
        said, first = self._said(key, "date"), self._is_first
        offered = self._take_offer(key) if self._shown(key, "date") is None else ""
        if said or offered:
            day = say_date(said or offered, self._turn.today) or _day_in(offered, self._turn.today)
            if day is None and (said or first):
                self._miss(key, "chat/missed", near=[])
            elif day is not None and (checked := await self._checked(check, day)) is not None:
                self._frame.offered = ""
                return date.fromisoformat(self._settle(key, "date", checked.isoformat()))
        raise self._suspended(key, "date")

    async def place(self, key: str) -> Place:
        """Ask for a position: WeChat's own location message."""
        if (known := self._known(key, "place")) is not None:
            return msgspec.json.decode(known, type=Place)
        if self._answering(key, "place"):
            if (place := self._turn.event.place) is not None:
                self._settle(key, "place", msgspec.json.encode(place).decode())
                return place
            self._miss(key, "chat/missed", near=[])
        raise self._suspended(key, "place")

    async def photo(self, key: str) -> Media:
        """Ask for a picture."""
        if (known := self._known(key, "photo")) is not None:
            return msgspec.json.decode(known, type=Media)
        if self._answering(key, "photo"):
            media = self._turn.event.media
            if media is not None and self._turn.event.kind is Kind.IMAGE:
                self._settle(key, "photo", msgspec.json.encode(media).decode())
                return media
            self._miss(key, "chat/missed", near=[])
        raise self._suspended(key, "photo")

    async def once(
        self,
        key: str,
        effect: Callable[[Effect], Awaitable[str]],
        show: Callable[[str], Awaitable[object]] | None = None,
    ) -> str:
        """Cause one change, once for this run; returns its result, an id.

        `effect` is called with an `Effect` behind its bound arguments. If the run did it before with other
        arguments, the dialogue ends and says so: with `templates/<domain>/<key>_done.txt` and `it` = what
        `show(result)` loads, or with errors/already_done.txt.
        """
        if (known := self._known(key, "once")) is not None:
            return known
        try:
            result = await effect(Effect(self._frame.run, key, digest_of(effect)))
        except AlreadyDone as done:
            if show is None:
                raise
            raise Ended(Text(self._template(f"{key}_done"), it=await show(done.result))) from None
        return self._settle(key, "once", result)

    def again(self, key: str, because: DomainError | None = None) -> NoReturn:
        """Drop the answer to `key` and all after it, say why, and ask again."""
        raise SteppedBack(key, because)

    def _miss_confirm(self, key: str, said: str, options: list[Option]) -> bool:
        """Say what was understood; True if it was both answers at once, which is no miss."""
        yes, no = (option.label for option in options)
        if answers.is_number(said):
            self._miss(key, "chat/not_a_line", lines=len(options), more=False)
            return False
        if answers.is_either(said, options) or (options[1].aliases and moves.stops(said)):
            # Whoever is offered 取消 after two misses says it again.
            self._turn.notes.append(self._words.render("chat/either", said=self._turn.said, yes=yes, no=no))
            return True
        if is_wish(said, self._turn.today):
            self._lead_back(said)
        self._miss(key, "chat/either", yes=yes, no=no)
        return False


def _day_in(offered: str, today: date) -> date | None:
    """The one day that stands anywhere in words said before it was asked for: 我想去南馆，明天."""
    moment = named_moment(offered, today)
    return moment.day if moment is not None and not moment.unclear else None
