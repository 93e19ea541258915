"""What a citizen enters of somebody's identity: read, checked, and shown back masked."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.clock import Clock, city_day
from core.errors import DomainError
from services.citizens import identity, names, numbers
from services.citizens.model import SELF, Limits
from services.citizens.telling import ordered
from services.citizens.wishes import Wish

_ASKER_LENGTH = 12  # characters, as many as stand in one line


class AskerLength(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """Who one is takes at most `most` characters."""

    code = "asker_length"


@dataclass(frozen=True, slots=True)
class Shown:
    """A wish as its citizen is asked to check it: name and number masked."""

    relation: str
    name: str
    id_number: str
    asker: str
    scopes: Sequence[str]

    @property
    def is_self(self) -> bool:
        """Tell whether it is about the citizen."""
        return self.relation == SELF


class Papers:
    """Reads names, ID numbers and codes on a day of the city; each refusal says how to put it right."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def name(self, said: str) -> str:
        """A name as on an identity card."""
        return names.person_name(said)

    def id_number(self, said: str) -> str:
        """An ID number of 18 characters."""
        return identity.id_number(said, city_day(self._clock.timestamp()))

    def is_child(self, id_number: str) -> bool:
        """Tell whether somebody is so young that a guardian agrees for them (B9)."""
        return identity.age(id_number, city_day(self._clock.timestamp())) < Limits().adult

    def asker(self, said: str) -> str:
        """What citizens call themselves to whom they ask: 女儿小芳."""
        name = names.person_name(said)
        if len(name) > _ASKER_LENGTH:
            raise AskerLength(most=_ASKER_LENGTH)
        return name

    def code(self, said: str) -> str:
        """A code of six digits."""
        return numbers.code(said)

    async def shown(self, wish: Wish) -> Shown:
        """A wish to be checked by who made it."""
        return Shown(
            wish.relation,
            names.masked_name(wish.name),
            identity.masked_id(wish.id_number),
            wish.asker,
            ordered(wish.scopes),
        )
