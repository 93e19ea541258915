"""Questions of choice: the list that is shown, the line that is meant, days and times named with it."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from core.chat import answers, lists
from core.chat.asking import Asking
from core.chat.interrupts import Suspended
from core.chat.lists import Choosable, Item, Times
from core.chat.missed import miss
from core.chat.moments import Moment, When, named_moment
from core.chat.sessions import Option, Question
from core.errors import DomainError

_SHORT_DAY = 8  # characters: 11月25号上午


class NothingToChoose(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """A loader had nothing to offer for question `key`."""

    code = "nothing_to_choose"

    def __init__(self, key: str) -> None:
        super().__init__(key=key)
        self.key = key


class Choosing(Asking):
    """The questions that are answered by picking a line."""

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
