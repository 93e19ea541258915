"""What is personal around bindings: sealed for its one place, and opened again."""

import asyncpg
import msgspec
import structlog

from core.effects import Effect
from core.packing import Packing
from core.seal import Seal, SealBrokenError
from services.citizens.names import masked_name
from services.citizens.wishes import Wish


class Entered(msgspec.Struct, frozen=True):
    """What was entered of the person somebody asks for."""

    name: str
    id_number: str


_entered = Packing(Entered, "request")
_log = structlog.get_logger("citizens")


class Cabinet:
    """Seals and opens names, ID numbers and what askers call themselves; makes keyed hashes of attempts."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal

    def enter(self, wish: Wish, ticket: str) -> bytes:
        """Seal what was entered for a request."""
        return _entered.pack(Entered(wish.name, wish.id_number), self._seal, ticket)

    def entered(self, request: asyncpg.Record) -> Entered:
        """What was entered for an open request."""
        return _entered.unpack(request["sealed"], self._seal, request["ticket"])

    def glimpse(self, request: asyncpg.Record) -> Entered:
        """The same for where it is only shown: empty if it does not open, which a person looks into."""
        try:
            return self.entered(request)
        except SealBrokenError as broken:
            _log.error("request_unreadable", binding=request["id"], why=str(broken))
            return Entered("", "")

    def sign(self, asker: str, ticket: str) -> bytes | None:
        """Seal what an asker calls themselves; None for nothing."""
        return self._seal.seal(asker.encode(), f"asker:{ticket}") if asker else None

    def asker(self, binding: asyncpg.Record) -> str:
        """What the asker calls themselves; "" for nothing, as `name`."""
        sealed = binding["asker"]
        try:
            return "" if sealed is None else self._seal.open(sealed, f"asker:{binding['ticket']}").decode()
        except SealBrokenError as broken:
            _log.error("asker_unreadable", binding=binding["id"], why=str(broken))
            return ""

    def file(self, entered: Entered, person: str) -> tuple[bytes, bytes]:
        """Seal name and ID number of a registered person."""
        return (
            self._seal.seal(entered.name.encode(), f"name:{person}"),
            self._seal.seal(entered.id_number.encode(), f"id_number:{person}"),
        )

    def name(self, person: str, sealed: bytes | None) -> str:
        """The name of a person; "" where none is known, or it does not open, which a person looks into."""
        try:
            return "" if sealed is None else self._seal.open(sealed, f"name:{person}").decode()
        except SealBrokenError as broken:
            _log.error("person_unreadable", person=person, why=str(broken))
            return ""

    def person(self, row: asyncpg.Record) -> Entered:
        """Name and ID number of a registered person."""
        number = self._seal.open(row["id_number"], f"id_number:{row['person']}").decode()
        return Entered(self.name(row["person"], row["name"]), number)

    def masked(self, name: str) -> str:
        """A name as it is shown; "" stays."""
        return masked_name(name) if name else ""

    def reference(self, said: str, person: str, institution: str) -> bytes:
        """Seal what an institution calls a person."""
        return self._seal.seal(said.encode(), f"patient:{person}:{institution}")

    def put_away(self, dialogue: bytes, binding: int) -> bytes:
        """Seal a dialogue that waits for a request."""
        return self._seal.seal(dialogue, f"kept:{binding}")

    def take_out(self, sealed: bytes, binding: int) -> bytes:
        """Open a dialogue that waited for a request."""
        return self._seal.open(sealed, f"kept:{binding}")

    def of_citizen(self, citizen: str) -> bytes:
        """Whose attempt it was."""
        return self._seal.fingerprint(citizen, "attempt:citizen")

    def of_effect(self, effect: Effect, kind: str) -> bytes:
        """Which attempt it was: the same effect again is the same one."""
        return self._seal.fingerprint(f"{effect.name}#{effect.digest.hex()}", f"attempt:{kind}")
