"""A dialogue asks: it runs again from the top on every turn, and settled questions answer themselves."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import date
from inspect import isawaitable
from typing import NoReturn, TypeVar

import msgspec

from core.chat import answers, lists, moves
from core.chat.dates import say_date
from core.chat.events import Kind, Media, Place
from core.chat.hearing import Turn
from core.chat.interrupts import Ended, SteppedBack, Suspended
from core.chat.lists import Choosable, Item, Times
from core.chat.missed import miss
from core.chat.moments import Moment, When, named_moment
from core.chat.replies import Text
from core.chat.sessions import Answer, Frame, Option, Question
from core.chat.words import Words
from core.effects import AlreadyDone, Effect, digest_of
from core.errors import DomainError

_SHORT_DAY = 8  # characters: 11月25号上午
_T = TypeVar("_T")


class NothingToChoose(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """A loader had nothing to offer for question `key`."""

    code = "nothing_to_choose"

    def __init__(self, key: str) -> None:
        super().__init__(key=key)
        self.key = key


class Ask:
    """The questions of one run of a dialogue, and the citizen who answers them."""

    def __init__(self, frame: Frame, turn: Turn, words: Words, domain: str, citizen: str) -> None:
        self.citizen = citizen
        self.event = turn.event
        self._frame = frame
        self._turn = turn
        self._words = words
        self._domain = domain
        self._visited: list[str] = []
        self._kept = ""  # a day or time that was named too early, as it was said

    async def choice(
        self,
        key: str,
        load: Callable[[], Awaitable[Sequence[Item]]],
        when: Callable[[Item], When] | None = None,
        *,
        opens: Callable[[Item], Collection[When]] | None = None,
        full: Callable[[], Awaitable[Sequence[Item]]] | None = None,
    ) -> str:
        """Let the citizen choose one of what `load` returns; the chosen id.

        Words come from `templates/<domain>/<key>.txt`: a lead, and a macro `option(item)` for each line.
        Where days or times are chosen, `when` says which one an item is: then 下周三 and 三点半 are matched
        exactly, and one that is not offered is a miss; `full` loads the items that are missing because they
        are 约满. Where days are asked for later, `opens` says when an item can be had: those open on the day
        named already come first, their ids are `fitting` in the template and the day is `wish`. An empty
        list raises `NothingToChoose(key)`.
        """
        if (known := self._known(key, "choice")) is not None:
            return known
        if hint := self._frame.hints.pop(key, ""):
            return self._settle(key, "choice", hint)
        shown, said = self._shown(key, "choice"), self._said(key, "choice")
        today, times = self._turn.today, Times(when, opens, full)
        if said and shown and (option := times.picked(said, shown.options, today)):
            return self._chosen(key, option, said)
        items = await load()
        if not items:
            raise NothingToChoose(key)
        template = self._template(key)
        options = times.lines(self._words.question(template, options=items, wish=None, fitting=()), items)
        if said and (option := times.named(said, options, today)):
            return self._chosen(key, option, said)
        if shown:  # the list is still on the screen: its lines keep their numbers
            near, page = shown.near, shown.page + self._turn.more
        else:
            page = 0
            offered = self._take_offer(key)
            if option := answers.by_name(offered, options, today, exactly=not self._is_first):
                return self._chosen(key, option, offered)
            near = await self._left_of_offer(offered, options, times)
        if answers.is_any(said):
            fitting = times.open_at(lists.wished(self._frame.offered, today), items)
            return self._chosen(key, lists.ranked(near, options, today, fitting)[0], said)
        if said:
            await self._miss_choice(key, said, options, len(shown.options) if shown else 0, times)
        raise self._suspended_choice(key, items, times, page=page, near=near)

    async def only(self, key: str, load: Callable[[], Awaitable[Sequence[Choosable]]]) -> None:
        """Answer the choice `key` where there is one thing to choose; not where words may mean another."""
        named = not answers.only_points(answers.fold(self._frame.offered))
        if named or key in self._frame.answers or self._shown(key, "choice"):
            return
        items = await load()
        if len(items) == 1:
            self._settle(key, "only", items[0].id)

    def _chosen(self, key: str, option: Option, said: str) -> str:
        """Settle a choice; what the words said beyond it is put to the questions to come."""
        if rest := answers.rest_of(said, option, self._turn.today):
            self._frame.offered = rest
        elif option.when is not None and not self._awaits_its_time(option.when):
            self._frame.offered = ""  # another day or time than the one named before counts now
        return self._settle(key, "choice", option.id)

    def _awaits_its_time(self, chosen: When) -> bool:
        """Tell whether the time of day named before can still be meant, now that its day is chosen."""
        moment = named_moment(answers.fold(self._frame.offered), self._turn.today)
        return bool(moment and moment.times and chosen.starts is None and moment.fits(chosen))

    async def _left_of_offer(self, offered: str, options: list[Option], times: Times[Item]) -> str:
        """What words that settled nothing still say about the order of the options."""
        today = self._turn.today
        moment = answers.meant(offered, options, today)
        if moment is None:
            kept = named_moment(offered, today)
            if kept is not None:
                self._keep(offered, kept)
            return offered if self._is_first and kept is None else ""
        fits = any(each.when and moment.fits(each.when) for each in options)
        if not (moment.times and fits):
            self._frame.offered = ""
        if moment.day is not None and moment.day < today:
            return ""  # 昨天摔了，想看骨科
        if not fits:
            full = await times.is_full(offered, options, today)
            template, facts = miss(offered, offered, options, today, full=full)
            self._turn.notes.append(self._words.render(template, **facts))
        return offered

    def _keep(self, offered: str, moment: Moment) -> None:
        """Tell who named a day at once that it waits for its question; a short word for it, and once."""
        to_come = moment.day is not None and moment.day >= self._turn.today
        if to_come and len(self._frame.tried) == 1 and len(offered) <= _SHORT_DAY:
            self._kept = offered

    def _wish(
        self, key: str, items: Sequence[Item], times: Times[Item]
    ) -> tuple[Moment | None, frozenset[str]]:
        """The day named before days are asked for, and what can be had then.

        That it is kept is said, or that there is nothing then: it is dropped.
        """
        wish = lists.wished(self._frame.offered, self._turn.today) if times.opens else None
        fitting = times.open_at(wish, items)
        if wish is not None and not fitting:
            template = self._own_or(f"{key}_none_then", "chat/none_then")
            self._turn.notes.append(self._words.render(template, wish=wish, options=items))
            wish, self._frame.offered = None, ""
        elif self._kept:
            self._turn.notes.append(self._words.render("chat/too_early", said=self._kept))
        return wish, fitting

    async def _miss_choice(
        self, key: str, said: str, options: list[Option], lines: int, times: Times[Item]
    ) -> None:
        """Say what was understood of an answer that is none."""
        today = self._turn.today
        if answers.is_number(said) and answers.meant(said, options, today) is None:
            self._miss(key, "chat/not_a_line", lines=lines, more=len(options) > lists.PAGE)
        elif answers.meant(said, options, today) is None and named_moment(said, today) is not None:
            self._frame.offered = said  # a day or time too early: it is kept for the question it answers
            self._kept = self._turn.said
        elif answers.is_nod(said) or answers.is_sticker(self._turn.said):
            self._miss(key, "chat/nodded")
        else:
            full = await times.is_full(said, options, today)
            template, facts = miss(self._turn.said, said, options, today, full=full)
            self._miss(key, template, **facts)

    async def confirm(
        self, key: str, load: Callable[[], Awaitable[object]], yes: Sequence[str] = (), no: Sequence[str] = ()
    ) -> None:
        """Show what `load` returns (as `it` in the template) and go on only after a yes; a no ends here.

        The lines are `<key>_yes` and `<key>_no` of the domain's templates, the farewell is `<key>_declined`;
        chat/yes, chat/no and chat/declined stand in. `yes` and `no` are further words that mean them here,
        and here only: they go before the words that mean something everywhere.
        """
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
        lead = self._words.question(self._template(key), it=await load()).lead
        labels = [option.label for option in options]
        question = Question(key, "confirm", options, again=again)
        raise Suspended(question, self._text("chat/confirm", lead, lines=labels))

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
        if (known := self._known(key, "date")) is not None:
            return date.fromisoformat(known)
        said, first = self._said(key, "date"), self._is_first
        offered = self._take_offer(key) if self._shown(key, "date") is None else ""
        if said or offered:
            day = say_date(said or offered, self._turn.today)
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

    @property
    def visited(self) -> list[str]:
        """The questions and effects this run came to, in order."""
        return self._visited

    @property
    def _is_first(self) -> bool:
        """Tell whether no other question came before the one that is asked now."""
        return len(self._visited) == 1

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
        if key in self._frame.tried:
            return ""
        self._frame.tried = [*self._frame.tried, key]
        return answers.fold(self._frame.offered)

    def _settle(self, key: str, kind: str, value: str) -> str:
        self._frame.answers[key] = Answer(kind, value)
        self._frame.open = None
        self._turn.settled = True
        return value

    def _miss_confirm(self, key: str, said: str, options: list[Option]) -> bool:
        """Say what was understood; True if it was both answers at once, which is no miss."""
        yes, no = (option.label for option in options)
        if answers.is_number(said):
            self._miss(key, "chat/not_a_line", lines=len(options), more=False)
        elif answers.is_either(said, options) or (options[1].aliases and moves.stops(said)):
            # Whoever is offered 取消 after two misses says it again.
            self._turn.notes.append(self._words.render("chat/either", said=self._turn.said, yes=yes, no=no))
            return True
        else:
            self._miss(key, "chat/either", yes=yes, no=no)
        return False

    def _miss(self, key: str, template: str, **facts: object) -> None:
        self._turn.missed = True
        template = self._own_or(f"{key}_missed", template)
        self._turn.notes.append(self._words.render(template, **{"said": self._turn.said, **facts}))

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
            self._turn.notes.append(self._words.render(f"errors/{refused.code}", **refused.facts))
            return None

    def _suspended_choice(
        self, key: str, items: Sequence[Item], times: Times[Item], *, page: int, near: str
    ) -> Suspended:
        wish, fitting = self._wish(key, items, times)
        question = self._words.question(self._template(key), options=items, wish=wish, fitting=fitting)
        ranked = lists.ranked(near, times.lines(question, items), self._turn.today, fitting)
        first = self._kept and times.opens is not None  # the order is another one now
        lines, page, more = lists.page_of(ranked, 0 if first else page)
        reply = self._text("chat/choice", question.lead, lines=[line.label for line in lines], more=more)
        return Suspended(Question(key, "choice", lines, page, near), reply)

    def _suspended(self, key: str, kind: str, **facts: object) -> Suspended:
        lead = self._words.question(self._template(key), **facts).lead
        return Suspended(Question(key, kind), self._text(f"chat/{kind}", lead))

    def _template(self, key: str) -> str:
        return f"{self._domain}/{key}"

    def _text(self, template: str, lead: str, **facts: object) -> Text:
        return Text(template, lead=lead, notes=self._turn.notes, back=self._has_a_step_back, **facts)
