"""Questions of choice: the list that is shown, the line that is meant, days and times named with it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from core.chat import answers, lists
from core.chat.asking import Asking
from core.chat.interrupts import Suspended
from core.chat.lists import Choosable, Elsewhere, Item, Times, View
from core.chat.missed import miss
from core.chat.moments import Moment, When, is_over, is_wish, merged, named_moment, spoken
from core.chat.sessions import Option, Question
from core.errors import DomainError


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
        when: Callable[[Item], When | None] | None = None,
        *,
        opens: Callable[[Item], Collection[When]] | None = None,
        full: Callable[[], Awaitable[Sequence[Item]]] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> str:
        """Let the citizen choose one of what `load` returns; the chosen id.

        Words come from `templates/<domain>/<key>.txt`: a lead, and a macro `option(item)` for each line.
        Where days or times are chosen, `when` says which one an item is, or None: then 下周三 and 三点半 are
        matched exactly, and one that is not offered is a miss; `full` loads the items that are missing
        because they are 约满, `elsewhere` names what else can be had then. Where days are asked for later,
        `opens` says when an item can be had: those open on the day named already come first, their ids are
        `fitting` in the template and the day is `wish`. An empty list raises `NothingToChoose(key)`.
        """
        if when is not None:
            self._timed.append(key)
        if (known := self._known_or_named(key)) is not None:
            return known
        shown, said = self._shown(key, "choice"), self._said(key, "choice")
        today, times = self._turn.today, Times(when, opens, full, elsewhere)
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
            view = self._next_view(shown, len(items))
        else:
            offered = self._take_offer(key)
            if option := answers.by_name(offered, options, today, exactly=not self._is_first):
                return self._chosen(key, option, offered)
            view = await self._first_view(offered, options, times)
        if answers.is_any(said):
            fitting = times.open_at(lists.wished(self._frame.offered, today), items)
            return self._chosen(key, lists.ranked(view, options, today, fitting)[0], said)
        if said:
            view = await self._not_one(key, said, options, shown, times) or view
        raise self._suspended_choice(key, items, times, view)

    def _known_or_named(self, key: str) -> str | None:
        """The stored answer, or the one that a name in the opening words settled."""
        if (known := self._known(key, "choice")) is not None:
            return known
        hint = self._frame.hints.pop(key, "")
        return self._settle(key, "choice", hint) if hint else None

    async def only(
        self, key: str, load: Callable[[], Awaitable[Sequence[Choosable]]], *, whatever: bool = False
    ) -> None:
        """Answer the choice `key` where there is one thing to choose; not where words may mean another.

        `whatever` was said: it does not speak of this question.
        """
        named = not whatever and not answers.only_points(answers.fold(self._offered(key)))
        if named or self.knows(key) or self._shown(key, "choice"):
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

    def _lead_to_its_day(self, said: str, options: list[Option]) -> None:
        """Let a day to come, or a part of one, that none of these times is of answer the question of days."""
        moment = answers.meant(said, options, self._turn.today)
        if moment is None or moment.unclear or moment.day is None or moment.day < self._turn.today:
            return
        half_day = replace(moment, times=frozenset())
        if not any(option.when is not None and half_day.fits(option.when) for option in options):
            self._lead_back(said)

    async def _left_of_offer(self, offered: str, options: list[Option], times: Times[Item]) -> str:
        """What words that settled nothing still say about the order of the options."""
        today = self._turn.today
        moment = answers.meant(offered, options, today)
        if moment is None:
            kept = named_moment(offered, today)
            if kept is not None:
                self._keep(offered)
            return offered if self._is_first and kept is None else ""
        fits = any(each.when and moment.fits(each.when) for each in options)
        if not (moment.times and fits):
            self._frame.offered = ""
        if moment.day is not None and moment.day < today:
            self._keep(offered)
            return ""  # 昨天摔了，想看骨科
        if not fits and offered == self._frame.refused:
            return ""
        if not fits:
            template, facts = await self._missed(offered, offered, options, times)
            self._note(template, **facts)
        return offered

    def _keep(self, offered: str) -> None:
        """Tell who named a day at once that it waits for its question, once; or that it is over."""
        today = self._turn.today
        if is_over(offered, today):
            self._note("chat/over", said=spoken(offered, today)[0])
            self._frame.offered = ""
        elif is_wish(offered, today) and len(self._frame.tried) == 1:
            self._kept = spoken(offered, today)[0]

    def _keep_for_later(self, said: str) -> None:
        """Keep a day or time that was named too early, together with what was kept of it before."""
        frame = self._frame
        before = "" if frame.offered == frame.refused else answers.fold(frame.offered)
        frame.offered = self._kept = merged(before, said, self._turn.today)
        frame.refused, frame.tried = "", list(self._visited)

    def _wish(
        self, key: str, items: Sequence[Item], times: Times[Item]
    ) -> tuple[Moment | None, frozenset[str]]:
        """The day named before days are asked for, and what can be had then.

        That it is kept is said, or that there is nothing then: it is dropped.
        """
        wish = lists.wished(self._frame.offered, self._turn.today) if times.opens else None
        fitting = times.open_at(wish, items)
        if wish is not None and not fitting:
            if self._frame.offered != self._frame.refused:
                template = self._own_or(f"{key}_none_then", "chat/none_then")
                self._note(template, wish=wish, options=items)
            wish, self._frame.offered = None, ""
        elif self._kept:
            self._note("chat/too_early", said=self._kept)
        return wish, fitting

    def _next_view(self, shown: Question, items: int) -> View:
        """How a list is shown again: a page on or back, if that was asked for; at its ends that is said."""
        pages = self._turn.pages
        if pages > 0 and not shown.narrowed and not lists.goes_on(items, shown.page):
            self._note("chat/from_the_start" if shown.page else "chat/no_more")
        if pages < 0 and not shown.page:
            self._note("chat/first_page")
        return View(shown.near, shown.page, narrowed=shown.narrowed).turned(pages)

    async def _first_view(self, offered: str, options: list[Option], times: Times[Item]) -> View:
        """How a list is shown first: by what was said before it was asked for."""
        self._lead_to_its_day(offered, options)
        few = not self._is_first and times.several(offered, options, self._turn.today)
        near = await self._left_of_offer(offered, options, times)
        return View(offered, narrowed=True) if few else View(near)

    async def _not_one(
        self, key: str, said: str, options: list[Option], shown: Question | None, times: Times[Item]
    ) -> View | None:
        """Say what was understood of an answer that is none; where it means several lines, show them."""
        self._lead_to_its_day(said, options)
        today = self._turn.today
        early = answers.meant(said, options, today) is None and is_wish(said, today)
        if few := times.several(said, options, today):
            if early:
                self._keep_for_later(said)
                self._kept = ""  # the lines that are left say when
            self._note("chat/several", said=self._turn.said, every=len(few) == len(options))
            return View(said, narrowed=True)
        if answers.is_number(said) and answers.meant(said, options, today) is None:
            page, lines = (shown.page, len(shown.options)) if shown else (0, 0)
            self._miss(key, "chat/not_a_line", lines=lines, more=lists.goes_on(len(options), page))
        elif is_over(said, today):
            self._miss(key, "chat/over", said=spoken(said, today)[0])
        elif early:
            self._keep_for_later(said)
        elif answers.is_nod(said) or answers.is_sticker(self._turn.said):
            self._miss(key, "chat/nodded")
        else:
            template, facts = await self._missed(self._turn.said, said, options, times)
            self._miss(key, template, **facts)
        return None

    async def _missed(
        self, quote: str, said: str, options: list[Option], times: Times[Item]
    ) -> tuple[str, dict[str, object]]:
        """What is said of words that are none of the options; a day that others have is kept for them."""
        today = self._turn.today
        full = await times.is_full(said, options, today)
        template, facts = miss(quote, said, options, today, full=full)
        if others := await times.others(said, options, today):
            self._frame.offered = self._frame.refused = said
        return template, {**facts, "others": list(others)}

    def _suspended_choice(self, key: str, items: Sequence[Item], times: Times[Item], view: View) -> Suspended:
        wish, fitting = self._wish(key, items, times)
        question = self._words.question(self._template(key), options=items, wish=wish, fitting=fitting)
        if self._kept and times.opens is not None:
            view = View(view.near)  # the order is another one now
        ranked = lists.ranked(view, times.lines(question, items), self._turn.today, fitting)
        lines, page, more = lists.page_of(ranked, view.page)
        more = more or len(ranked) < len(items)
        back = page > 0 or self._has_a_step_back
        labels = [line.label for line in lines]
        reply = self._text("chat/choice", question.lead, lines=labels, more=more, back=back)
        return Suspended(Question(key, "choice", lines, page, view.near, narrowed=view.narrowed), reply)
