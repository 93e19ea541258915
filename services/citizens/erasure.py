"""删除: who a citizen is goes at once, or when nothing is promised to them any more (domain-rules D4)."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec
import structlog

from core.clock import Clock
from core.effects import Effect, perform
from core.errors import DomainError, StoreGoneError
from core.privacy.holdings import Holding, Reader, Subject
from core.stores.database import Database, Transaction
from services.citizens import bindings_store, erasures_store, holding_store
from services.citizens.bindings_store import Step
from services.citizens.erasures_store import Row

AT_MOST = timedelta(days=30)
ASKED, LEFT = "asked", "left"
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # none looks like another
_LENGTH = 12
_READ_AS = str.maketrans("OIL", "011")
_PAGE = 200
_CLOCK = "clock"

_log = structlog.get_logger("citizens")


class NoErasureWaits(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """Nothing is to be erased of this citizen."""

    code = "no_erasure_waits"


class NoSuchReceipt(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """There is no receipt of this number."""

    code = "no_such_receipt"


@dataclass(frozen=True, slots=True)
class Preview:
    """What 删除 would mean now: `open` promises keep it waiting, until `due_at` at most.

    They are counted by the part of the house that made them: bookings, rides, payments.
    """

    open: Mapping[str, int]
    due_at: datetime
    holders: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an erasure. `hash` is the SHA-256 of `told`: whoever has both can compute it."""

    number: str
    state: str
    due_at: datetime
    at: datetime | None
    erased: Mapping[str, int]
    kept: Mapping[str, int]
    hash: str

    @property
    def spaced(self) -> str:
        """The number in groups of four, as it is read out."""
        return " ".join(self.number[place : place + 4] for place in range(0, _LENGTH, 4))

    @property
    def told(self) -> bytes:
        """What the hash was made over."""
        return _told(self.number, self.at, self.erased, self.kept)


class Erasing:
    """Erases citizens, part of the house by part. The register comes last: it holds the way to them."""

    def __init__(self, db: Database, clock: Clock, holdings: Sequence[Holding]) -> None:
        self._db = db
        self._clock = clock
        self._holdings = tuple(holdings)

    async def preview(self, citizen: str) -> Preview:
        """What would wait, and who would lose the right to act for this citizen."""
        subject, now = await self._subject(self._db, citizen), self._clock.now()
        holders = {
            row["citizen"]
            for person in subject.persons
            for row in await bindings_store.holders(self._db, person, citizen)
        }
        return Preview(await self._obligations(self._db, subject), now + AT_MOST, len(holders))

    async def ask(self, citizen: str, effect: Effect) -> str:
        """Erase a citizen, at once if nothing is promised to them; the number of the receipt.

        Asked again while it waits, it is the same one.
        """
        subject = await self._subject(self._db, citizen)
        number = await perform(self._db, effect, partial(self._ask, citizen, effect.name))
        if subject.conversations:
            await self._forget_if_done(number, subject)
        return number

    async def waiting(self, citizen: str) -> Receipt | None:
        """What a citizen asked to be erased and what still waits."""
        row = await erasures_store.waiting_of(self._db, citizen)
        return _receipt(row) if row is not None and row["why"] == ASKED else None

    async def withdraw(self, citizen: str, effect: Effect) -> str:
        """Keep a citizen after all; `NoErasureWaits` if nothing waits (any more)."""
        return await perform(self._db, effect, partial(self._withdraw, citizen, effect.name))

    async def receipt(self, said: str) -> Receipt:
        """What a receipt says, for whoever has its number; it says of nobody. `NoSuchReceipt`."""
        number = "".join(said.upper().split()).replace("-", "").translate(_READ_AS)
        row = await erasures_store.receipt(self._db, number)
        if row is None:
            raise NoSuchReceipt
        return _receipt(row)

    async def revoked(self, conversation: str, permissions: Sequence[str]) -> None:
        """Delete what was obtained under permissions that a citizen took back at WeChat."""
        async with self._db.transaction() as tx:
            citizen = await holding_store.citizen_of(tx, conversation)
            if citizen is None:
                return
            subject = await self._subject(tx, citizen)
            for permission in permissions:
                for holding in self._holdings:
                    await holding.revoke(tx, subject, permission)

    async def run(self) -> int:
        """Erase who left, and who waits for it, where nothing is promised any more; how many. Nightly.

        Who is back before that keeps all. Each in a transaction of their own: one that fails keeps no other.
        """
        now, erased, after = self._clock.now(), 0, None
        await holding_store.drop_left_accounts(self._db, now - AT_MOST)
        while leavers := await erasures_store.leavers(self._db, _PAGE):
            for row in leavers:
                await self._note_leaver(row["citizen"], row["left_at"])
        while rows := await erasures_store.waiting(self._db, after, _PAGE):
            for row in rows:
                erased += await self._carefully(row["citizen"])
            after = (rows[-1]["asked_at"], rows[-1]["receipt"])
        return erased

    async def _note_leaver(self, citizen: str, left_at: datetime) -> None:
        async with self._db.transaction() as tx:
            await erasures_store.lock(tx, citizen)
            if await erasures_store.waiting_of(tx, citizen) is None:
                await erasures_store.add(tx, _number(), citizen, LEFT, left_at, left_at + AT_MOST)

    async def _carefully(self, citizen: str) -> bool:
        try:
            return await self._finish(citizen)
        except StoreGoneError:
            raise
        except Exception:  # noqa: BLE001 - a person looks into it; the others' time is over, too
            _log.exception("not_erased", citizen=citizen)
            return False

    async def _finish(self, citizen: str) -> bool:
        subject = await self._subject(self._db, citizen)
        async with self._db.transaction() as tx:
            await erasures_store.lock(tx, citizen)
            row = await erasures_store.waiting_of(tx, citizen)
            if row is None:
                return False
            if row["why"] == LEFT and await erasures_store.follows(tx, citizen):
                await erasures_store.withdraw(tx, citizen, self._clock.now(), LEFT)
                return False
            done = await self._try(tx, citizen, row)
        if done:
            await self._forget(subject)
        return done

    async def _ask(self, citizen: str, key: str, tx: Transaction) -> str:
        await erasures_store.lock(tx, citizen)
        row = await erasures_store.waiting_of(tx, citizen)
        now = self._clock.now()
        if row is None or row["why"] != ASKED:
            await bindings_store.event(tx, "erasure_asked", citizen, None, "waiting", Step(citizen, now, key))
            await erasures_store.add(tx, _number(), citizen, ASKED, now, now + AT_MOST)
            row = await erasures_store.waiting_of(tx, citizen)
        if row is None:
            raise LookupError(citizen)
        await self._try(tx, citizen, row)
        return str(row["receipt"])

    async def _withdraw(self, citizen: str, key: str, tx: Transaction) -> str:
        await erasures_store.lock(tx, citizen)
        now = self._clock.now()
        if not await erasures_store.withdraw(tx, citizen, now):
            raise NoErasureWaits
        await bindings_store.event(tx, "erasure_withdrawn", citizen, None, "kept", Step(citizen, now, key))
        return citizen

    async def _try(self, tx: Transaction, citizen: str, row: Row) -> bool:
        """Erase a citizen if nothing is promised to them, or if it has waited long enough."""
        now = self._clock.now()
        subject = await self._subject(tx, citizen, asked=row["why"] == ASKED)
        if now < row["due_at"] and await self._obligations(tx, subject):
            return False
        receipts = await erasures_store.receipts_of(tx, citizen)
        kept: Counter[str] = Counter()
        erased: Counter[str] = Counter()
        for holding in self._holdings:
            kept.update(await holding.stays(tx, subject))
        for holding in self._holdings:
            erased.update(await holding.erase(tx, subject))
        hashes = {each: hashlib.sha256(_told(each, now, erased, kept)).digest() for each in receipts}
        await erasures_store.finish(tx, now, (erased, kept), hashes)
        await bindings_store.event(tx, "erased", citizen, None, row["why"], Step(_CLOCK, now, "erasure"))
        _log.info("erased", why=row["why"], **{f"n_{name}": count for name, count in erased.items()})
        return True

    async def _obligations(self, db: Reader, subject: Subject) -> dict[str, int]:
        """What is still promised, by part; nothing for those that promised nothing."""
        found = {each.name: await each.obligations(db, subject) for each in self._holdings}
        return {name: count for name, count in found.items() if count}

    async def _subject(self, db: Reader, citizen: str, *, asked: bool = True) -> Subject:
        return replace(await subject_of(db, citizen, self._clock.now()), asked=asked)

    async def _forget_if_done(self, number: str, subject: Subject) -> None:
        row = await erasures_store.receipt(self._db, number)
        if row is not None and row["state"] == "done":
            await self._forget(subject)

    async def _forget(self, subject: Subject) -> None:
        for holding in self._holdings:
            try:
                await holding.forget(subject)
            except StoreGoneError as gone:  # it ends by itself within a day
                _log.warning("not_forgotten", holding=holding.name, store=gone.store)


async def subject_of(db: Reader, citizen: str, at: datetime) -> Subject:
    """A citizen as the parts of the house know them."""
    persons = await holding_store.oneself(db, citizen)
    return Subject(citizen, persons, await holding_store.conversations(db, citizen), at)


def _number() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def _told(number: str, at: datetime | None, erased: Mapping[str, int], kept: Mapping[str, int]) -> bytes:
    """What a hash is made over: the number, the time, and how much of what; nothing of whom."""
    when = at.astimezone(UTC).isoformat(timespec="microseconds") if at is not None else ""
    said = {"receipt": number, "at": when, "erased": dict(erased), "kept": dict(kept)}
    return msgspec.json.encode(said, order="sorted")


def _receipt(row: Row) -> Receipt:
    erased, kept = (msgspec.json.decode(row[key] or b"{}", type=dict[str, int]) for key in ("counts", "kept"))
    return Receipt(
        number=row["receipt"],
        state=row["state"],
        due_at=row["due_at"],
        at=row["ended_at"],
        erased=erased,
        kept=kept,
        hash=row["hash"].hex() if row["hash"] is not None else "",
    )
