"""Asking whether a citizen agrees, wherever a dialogue needs it: the text, 同意, 不同意, 全文."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from core.chat.dialogue import Ask
from core.effects import Effect, digest_of
from core.errors import DomainError
from services.citizens.consent_texts import ConsentText
from services.citizens.consents import ConsentMissing, ConsentOver, Consents
from services.citizens.model import SELF
from services.citizens.relations import words

_YES, _NO, _WHOLE, _ONESELF = "grant", "refuse", "whole", "oneself"
_ALIASES = {
    _YES: ("同意", "我同意", "愿意", "我愿意"),
    _NO: ("不同意", "我不同意", "不愿意", "拒绝"),
    _WHOLE: ("全文", "看全文", "详细", "看看全文"),
    _ONESELF: words(SELF),
}


class ConsentWhole(DomainError):  # noqa: N818 - said as a refusal is: the question stays
    """The whole `text` of what is asked."""

    code = "consent_whole"


@dataclass(frozen=True, slots=True)
class _Line:
    """One thing to say to it."""

    id: str
    text: ConsentText

    @property
    def aliases(self) -> tuple[str, ...]:
        return _ALIASES[self.id]


async def consent(
    ask: Ask, consents: Consents, purpose: str, person: str = "", scopes: Sequence[str] = ()
) -> bool:
    """Go on only if the citizen agrees, `ConsentMissing`; who did so before to the same text is not asked.

    False where another dialogue waits for whom something is, and they say that it is for themselves.

    `person` is whose data it is about, if it is about one in particular. What is asked again has another
    text, or another scope, than what was agreed to. Each step hangs on its own message and not on the run:
    a dialogue can be left, and gone back in, as if nothing had been done; and nothing has.
    """
    if (await consents.state(ask.citizen, purpose, person, scopes)).is_granted:
        return True
    text, key = consents.texts.current(purpose), f"{purpose}:{person}@consent/ask"
    answer = await ask.choice(key, partial(_shown, ask, consents, (purpose, person), sorted(scopes)))
    if answer == _WHOLE:
        ask.again(key, because=ConsentWhole(text=text.whole))
    if answer == _ONESELF:
        return False
    decide = consents.grant if answer == _YES else consents.refuse
    try:
        await _once(ask, answer, partial(decide, ask.citizen, purpose, person, ask.event.id))
    except ConsentOver as over:
        ask.again(key, because=over)
    if answer == _NO:
        raise ConsentMissing(title=text.title)
    ask.keep_elsewhere(key)
    return True


async def _shown(ask: Ask, consents: Consents, about: tuple[str, str], scopes: Sequence[str]) -> list[_Line]:
    """The lines of the question, which is noted as asked."""
    await _once(ask, "ask", partial(consents.ask, ask.citizen, *about, scopes))
    known = [each for each in _ALIASES if each != _ONESELF or ask.awaited_by]
    return [_Line(each, consents.texts.current(about[0])) for each in known]


async def _once(ask: Ask, step: str, effect: Callable[[Effect], Awaitable[str]]) -> None:
    await effect(Effect(f"{ask.event.id}/consent", step, digest_of(effect)))
