"""For whom something is done: the citizen, one of theirs, or somebody who is to be bound first."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from core.chat.besides import Beside, Heard
from core.chat.dialogue import Ask
from core.chat.names import Named
from core.chat.replies import Text
from services.citizens.families import Families
from services.citizens.model import Relative
from services.citizens.whose import meant_by

WHOM = "whom"
BIND = "citizens.bind"
_ADD = "add"


def beside(hides: Callable[[Named], bool]) -> Beside:
    """给我妈, 是孩子看病, 给我自己: said at any point of a dialogue that asks `for_whom`."""
    return Beside(WHOM, _heard, hides)


async def for_whom(ask: Ask, families: Families, scope: str) -> str:
    """The person this is for; the first thing a dialogue asks.

    Who has nobody but themselves is not asked. Who names somebody that is not theirs yet binds them first,
    on top of this dialogue.
    """
    said = ask.said_beside(WHOM)
    load = _once(partial(_lines, families, ask.citizen, scope, said, add=ask.gave_up(WHOM)))
    if said and not ask.knows(WHOM) and not await load():
        ask.opens(WHOM, BIND, Text("citizens/bind_first", who=said), called=said)
    await ask.only(WHOM, load, whatever=True)
    chosen = await ask.choice(WHOM, load)
    if chosen == _ADD:
        ask.opens(WHOM, BIND)
    return chosen


@dataclass(frozen=True, slots=True)
class _Adding:
    """The line 添加家人."""

    id: str = _ADD
    aliases: tuple[str, ...] = ("添加", "别人", "其他人", "家人", "绑定", "添加家人")


Load = Callable[[], Awaitable[list[Relative | _Adding]]]


async def _lines(
    families: Families, citizen: str, scope: str, said: str, *, add: bool
) -> list[Relative | _Adding]:
    """Those who are meant, or the citizen and theirs.

    How to add one is shown to who has some, or wanted to.
    """
    if said:
        return [*await families.meant(citizen, said, scope)]
    people = await families.people(citizen, scope)
    return [*people, _Adding()] if add or len(people) > 1 else [*people]


def _once(load: Load) -> Load:
    """Load the lines when they are first needed, and in this run no second time."""
    kept: list[Relative | _Adding] = []

    async def loaded() -> list[Relative | _Adding]:
        if not kept:
            kept.extend(await load())
        return kept

    return loaded


def _heard(folded: str) -> Heard | None:
    found = meant_by(folded)
    return Heard(*found) if found is not None else None
