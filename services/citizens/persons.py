"""Small things that asking and proving have in common."""

from datetime import date, datetime

import asyncpg

from services.citizens.cabinet import Cabinet
from services.citizens.errors import NoSuchBinding, RequestOver
from services.citizens.identity import age
from services.citizens.model import SELF
from services.citizens.names import compared

_MOST_DIGITS = 18  # of a number PostgreSQL takes


def number_of(binding: str) -> int:
    """The number of a binding that came from outside."""
    if not (binding.isascii() and binding.isdecimal() and len(binding) <= _MOST_DIGITS):
        raise NoSuchBinding
    return int(binding)


def require_open(request: asyncpg.Record, at: datetime | None) -> None:
    """Refuse one that was decided, `RequestOver`, or whose time is over then."""
    if request["state"] != "requested":
        raise RequestOver(state=request["state"])
    if at is not None and request["expires_at"] <= at:
        raise RequestOver(state="expired")


def asks_for(
    cabinet: Cabinet, request: asyncpg.Record, citizen: str, me: asyncpg.Record, adult: int, today: date
) -> bool:
    """Tell whether a request waits for the yes of this citizen, who is `me`.

    Not their own, not one to be them, not one under another name; and a child's yes is its guardian's (B9).
    """
    if request["citizen"] == citizen or request["relation"] == SELF or request["target"] != me["identity"]:
        return False
    entered, mine = cabinet.glimpse(request), compared(cabinet.name(me["person"], me["name"]))
    return bool(mine) and compared(entered.name) == mine and age(entered.id_number, today) >= adult
