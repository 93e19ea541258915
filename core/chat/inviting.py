"""Digits and taps that answer a message of ours: which one is meant, and what is said if none is."""

import re
from collections.abc import Sequence

import msgspec
import structlog

from core.chat import answers, hearing, moves
from core.chat.events import Kind, MenuTap
from core.chat.prompts import Prompt
from core.chat.replies import Said, Text
from core.chat.router import Match
from core.chat.sessions import Lead, Option
from core.chat.speech import join
from core.chat.steps import Steps

_TAPPED = re.compile(r"(\d{1,18}):(.+)")  # core.delivery.letters: the row of a message, and the option
_LISTED = frozenset(("choice", "confirm"))
_WRITTEN = frozenset(("text", "date"))
_DIGITS = 9
_log = structlog.get_logger("prompts")


class Inviting(Steps):
    """One message, as an answer to what we sent (design 8).

    A digit goes to the one open thing. A prompt that came after the open question, or another prompt, may be
    meant as well: then we ask which, and never guess. One that came before the question does not compete:
    what was asked last is what people answer. Of a message that perhaps never arrived we ask, too. No other
    message costs a look at the prompts.
    """

    async def _invited(self) -> Said | None:
        """Answer for a message of ours; None if this says nothing to one."""
        which, self._session.which = self._session.which, []
        if (tapped := self._tapped_option()) is not None:
            return await self._tapped(*tapped)
        lead = self._lead(which)
        digit = self._spoken_digit()
        if which and (lead or digit is not None):
            return await self._told_which(which, lead, digit or 0)
        return await self._digit(digit) if digit else None

    def _spoken_digit(self) -> int | None:
        """The digit that this is: 1, １, 一; where nothing else is open 选1 and 第一个, too, but not 3号."""
        number = answers.number(self._folded)
        if number is None or number > _DIGITS or "号" in self._folded:
            return None
        return number if len(self._folded) == 1 or self._nothing_open else None

    def _tapped_option(self) -> tuple[int, str] | None:
        """The message and the option of ours that a tap names."""
        detail = self._event.detail
        if self._event.kind is not Kind.TEXT or not isinstance(detail, MenuTap):
            return None
        found = _TAPPED.fullmatch(detail.menu_id)
        return (int(found[1]), found[2]) if found else None

    async def _tapped(self, message: int, option: str) -> Said:
        prompts = await self._house.prompts.pending(self._event)
        if (again := _answered_before(prompts)) is not None:
            return await self._answer(again, again.chosen)
        prompt = next((each for each in prompts if each.message == message), None)
        if prompt is None or prompt.unsure:  # who taps a line of it has it before them
            prompt = await self._house.prompts.tapped(self._event, message)
        return await self._answer(prompt, option)

    async def _digit(self, digit: int) -> Said | None:
        prompts = await self._house.prompts.pending(self._event)
        if (again := _answered_before(prompts)) is not None:
            return await self._answer(again, again.chosen)
        asks = self._asks
        heard = [each for each in prompts if each.counts and not (asks and self._is_before(each))]
        leads = self._leads(heard, digit)
        if asks and self._fits(digit):
            leads.append(Lead(0, "", self._folded, self._line(digit)))
        if len(leads) > 1 or any(_is_unsure(lead, prompts) for lead in leads):
            return self._ask_which(leads)
        if leads and leads[0].message:
            return await self._answer(_of(leads[0], prompts), leads[0].option)
        if asks:
            return None
        sure = [each for each in prompts if not each.unsure]
        if heard := [each for each in heard if each in sure]:
            return self._say(Text("chat/no_such_option", said=self._folded, prompts=heard))
        return await self._answer(sure[0], "") if sure and not self._session.done else None

    async def _answer(self, prompt: Prompt | None, option: str) -> Said:
        """Do what an option of a message says, or tell that it counts no more."""
        if prompt is None or not prompt.counts:
            return await self._and_go_on(self._say(self._no_more(prompt)))
        wired = self._house.routes.prompted(prompt.kind, option)
        if wired is None or not prompt.label(option):
            _log.warning("prompt_leads_nowhere", kind=prompt.kind, option=option)
            return await self._and_go_on(self._say(self._no_more(None)))
        chosen = msgspec.structs.replace(prompt, chosen=option, event=self._event.id)
        return await self._open(Match(wired.route, prompt=chosen))

    def _no_more(self, prompt: Prompt | None) -> Text:
        """Say that a message counts no more, and what can be done now; its domain may have words for it."""
        busy = bool(self._session.frames)
        if prompt is None:
            return Text("chat/prompt_gone", busy=busy)
        wired = [self._house.routes.prompted(prompt.kind, option) for option, _ in prompt.options]
        own = next((f"{each.route.domain}/{prompt.kind}_over" for each in wired if each), "")
        template = own if own and self._words.has(own) else "chat/prompt_over"
        return Text(template, title=prompt.title, late=prompt.late, busy=busy)

    # --- which one is meant ---

    async def _told_which(self, which: list[Lead], lead: Lead | None, digit: int) -> Said | None:
        """Go where the answer to "which one" leads; a message that came since may be meant by it, too."""
        if not self._shown:
            return join([self._say(Text("chat/not_delivered")), self._ask_which(which)], self.at)
        prompts = await self._house.prompts.pending(self._event)
        if (again := _answered_before(prompts)) is not None:
            return await self._answer(again, again.chosen)
        since = [each for each in prompts if each.counts and not self._is_older(each)]
        if digit and (newer := self._leads(since, digit)):
            return self._ask_which([*newer, *which])
        if lead is None:
            note = self._say(Text("chat/not_a_line", said=self._folded, lines=len(which), more=False))
            return join([note, self._ask_which(which)], self.at)
        if lead.message:
            return await self._answer(_of(lead, prompts), lead.option)
        self._event = msgspec.structs.replace(self._event, text=lead.said)
        self._folded = lead.said
        return None  # it goes on as if the digit had been said to the open question alone

    def _ask_which(self, leads: list[Lead]) -> Said:
        self._session.which = leads
        return self._say(Text("chat/which", said=leads[0].said, lines=[lead.label for lead in leads]))

    def _lead(self, which: Sequence[Lead]) -> Lead | None:
        """The line of that question that is meant."""
        lines = [Option(str(place), lead.label) for place, lead in enumerate(which)]
        picked = answers.pick(self._folded, lines) if lines else None
        return which[int(picked.id)] if picked is not None else None

    def _leads(self, prompts: Sequence[Prompt], digit: int) -> list[Lead]:
        """What a digit would mean to each of these; messages of one title are told apart by their time."""
        fit = [(each, option) for each in prompts if (option := each.option(digit)) is not None]
        titles = [each.title for each, _ in fit]
        return [
            Lead(each.message, option, self._folded, self._words.render(
                "chat/which_line", it=each, label=each.label(option), timed=titles.count(each.title) > 1
            ))
            for each, option in fit
        ]  # fmt: skip

    # --- the open question ---

    @property
    def _nothing_open(self) -> bool:
        return not (self._session.frames or self._session.offers)

    @property
    def _asks(self) -> bool:
        """Tell whether the last thing said to the citizen asked for something."""
        return self._shown and not self._gone and not self._nothing_open

    def _is_before(self, prompt: Prompt) -> bool:
        """Tell whether what is asked now came after a message: it does if it came of it."""
        led_here = any(frame.prompt == prompt.message for frame in self._session.frames)
        return led_here or self._is_older(prompt)

    def _is_older(self, prompt: Prompt) -> bool:
        """Tell whether a message came before what was said last. In the same second: who knows."""
        return prompt.at.timestamp() < self._session.seen_at

    def _fits(self, digit: int) -> bool:
        """Tell whether a digit may be meant for the open question."""
        if self._idle:
            return False  # after so long nothing is its answer
        if self._session.resuming:
            return digit in (1, 2)
        question = self._question
        if question is None:
            return not self._session.frames and digit <= len(self._session.offers)
        listed = question.kind in _LISTED
        if listed and hearing.is_answer(self._folded, question, self._today):
            return True
        return digit in moves.DIGIT_WORDS if listed else question.kind in _WRITTEN

    def _line(self, digit: int) -> str:
        """What a digit means to the open question, in words."""
        frame, question = self._session.top, self._question
        if frame is None:
            return self._session.offers[digit - 1].label
        title = self._runs.title(frame)
        if self._session.resuming:
            return f"{title}：{'继续' if digit == 1 else '重新开始'}"
        if question is None or question.kind not in _LISTED:
            return title
        shown = question.options[digit - 1].label if digit <= len(question.options) else ""
        return f"{title}：{shown.partition(chr(10))[0] or moves.DIGIT_WORDS[digit]}"


def _answered_before(prompts: Sequence[Prompt]) -> Prompt | None:
    """What this very message answered before its process died."""
    return prompts[0] if prompts and prompts[0].chosen else None


def _of(lead: Lead, prompts: Sequence[Prompt]) -> Prompt | None:
    return next((each for each in prompts if each.message == lead.message), None)


def _is_unsure(lead: Lead, prompts: Sequence[Prompt]) -> bool:
    return (meant := _of(lead, prompts)) is not None and meant.unsure
