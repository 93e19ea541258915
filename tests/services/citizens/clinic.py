"""A small institution that knows patients, where their phones are, and whose child is whose."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from core.stores.database import Database
from services.citizens.institutions import Checked, Identity, InstitutionGone

_IN_A_TRANSACTION = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()
"""


@dataclass
class Clinic:
    """Plays an institution; `watched` says whose transactions must be over whenever it is asked."""

    watched: Database
    name: str = "first"
    title: str = "第一医院"
    knows_guardians: bool = True
    patients: dict[str, str] = field(default_factory=dict)
    guardians: set[tuple[str, str]] = field(default_factory=set)
    texts: list[tuple[str, str]] = field(default_factory=list)  # ID number and code, as they were sent
    asked: int = 0
    is_gone: bool = False
    is_watched: bool = True
    meanwhile: Callable[[], Awaitable[object]] | None = None
    afterwards: Callable[[], Awaitable[object]] | None = None  # behind a yes, before anybody hears of it
    confirms_again: bool = True  # as docs/institution.md asks for
    _codes: dict[str, tuple[str, str]] = field(default_factory=dict)

    def knows(self, name: str, id_number: str) -> None:
        self.patients[id_number] = name

    async def send_code(self, request: str, name: str, id_number: str) -> None:
        await self._called()
        if self.patients.get(id_number) == name and request not in self._codes:
            code = f"{100_000 + 137 * len(self.texts)}"
            self._codes[request] = (id_number, code)
            self.texts.append((id_number, code))

    async def check_code(self, request: str, code: str) -> Checked:
        await self._called()
        sent_for, sent = self._codes.get(request, ("", ""))
        if not sent or sent != code:
            return Checked()
        if not self.confirms_again:
            del self._codes[request]
        if self.afterwards is not None:
            await self.afterwards()
        return Checked(f"patient {sent_for[-4:]}")

    async def guardian(self, request: str, guardian: Identity, child: Identity) -> Checked:
        await self._called()
        known = self.patients.get(child.id_number) == child.name
        is_theirs = (guardian.id_number, child.id_number) in self.guardians
        return Checked(f"patient {child.id_number[-4:]}") if known and is_theirs else Checked()

    async def _called(self) -> None:
        self.asked += 1
        if self.is_watched:
            open_ones = await self.watched.fetchval(_IN_A_TRANSACTION)
            assert open_ones == 0, "asked inside a transaction"
        if self.meanwhile is not None:
            await self.meanwhile()
        if self.is_gone:
            raise InstitutionGone(institution=self.title)
