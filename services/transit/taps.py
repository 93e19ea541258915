"""What gates upload: each tap is counted once, known already, or kept aside with its reason; none is lost."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from core.stores.database import Database, Transaction
from gate.code import Type, Unreadable, UsedKey, read
from services.transit import taps_store as store
from services.transit.model import Batch, Device, Ingested, Reason, Sent
from services.transit.network import Network
from services.transit.pairing import Way, service_day
from services.transit.taps_store import Day, GrantRow, TapRow

CLOCK_OFF = timedelta(seconds=120)
AHEAD = timedelta(seconds=60)
SKEW = timedelta(seconds=10)  # C3
_ONLY: Mapping[int, Way] = {
    Type.COMPANION: Way.BOARD,
    Type.WAY_OUT: Way.OUT,
}  # C5; and who is let out only was let in before
_EARLIEST, _LATEST = datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Read:
    """A tap with what its code says."""

    sent: Sent
    digest: bytes
    at: datetime
    acct_ref: bytes
    gen_time: int
    nonce: bytes
    type: int
    cap_fen: int


class Taps:
    """Takes in what gates send, in any order and however often."""

    def __init__(self, db: Database, network: Network | None = None) -> None:
        """`network`: what runs; without it every place that a gate is registered at is one."""
        self._db = db
        self._network = network

    async def ingest(self, device: Device, batch: Batch, now: datetime) -> Ingested:
        """Write a batch down in one transaction; the gate may drop whatever the answer names."""
        aside: list[tuple[Sent, bytes, Reason]] = []
        looked: dict[int, _Read] = {}
        first: dict[int, bytes] = {}
        off = abs(batch.sent_at - now) > CLOCK_OFF
        nowhere = self._is_nowhere(device)
        for sent in batch.taps:
            digest = _digest(sent)
            if sent.seq in first:
                if first[sent.seq] != digest:
                    aside.append((sent, digest, Reason.SEQ_REUSED))
                continue
            first[sent.seq] = digest
            found = Reason.CLOCK if off else _looked_at(device, sent, digest, now)
            if nowhere and not isinstance(found, Reason):
                found = Reason.UNKNOWN_LINE
            if isinstance(found, Reason):
                aside.append((sent, digest, found))
            else:
                looked[sent.seq] = found
        async with self._db.transaction() as tx:
            await store.take_turn(tx, device.id)
            accepted, known = await self._count(tx, device, looked, aside, now)
            await store.put_aside(tx, device.id, aside, now)
        wondered = {sent.seq: reason for sent, _, reason in reversed(aside)}  # the first one's reason stays
        return Ingested(_without(accepted, wondered), _without(known, wondered), wondered)

    async def take_in(self, number: int, decided: store.Decided) -> Reason | None:
        """Count a tap that was kept aside, as an operator decided; why it cannot be, or None.

        Whatever its gate's clock showed when it was sent, and whatever the data files did not know then, is
        let be; the tap itself has to be one that fits. LookupError where there is none, or it is taken in.
        """
        async with self._db.transaction() as tx:
            device, sent, digest = await store.aside(tx, number)
            await store.take_turn(tx, device.id)
            found = _looked_at(device, sent, digest, decided.at)
            if self._is_nowhere(device):
                found = Reason.UNKNOWN_LINE
            if isinstance(found, Reason):
                return found
            wrong: list[tuple[Sent, bytes, Reason]] = []
            await self._count(tx, device, {sent.seq: found}, wrong, decided.at)
            await store.put_aside(tx, device.id, wrong, decided.at)
            if wrong:
                return wrong[0][2]
            await store.taken_in(tx, number, decided)
        return None

    def _is_nowhere(self, device: Device) -> bool:
        return self._network is not None and not self._network.knows(
            device.line, device.station, device.vehicle
        )

    async def _count(
        self,
        tx: Transaction,
        device: Device,
        looked: Mapping[int, _Read],
        aside: list[tuple[Sent, bytes, Reason]],
        now: datetime,
    ) -> tuple[list[int], list[int]]:
        """Count what is new; what turns out not to be goes aside. The new ones, and those known before."""
        grants = await store.grants(tx, {each.acct_ref for each in looked.values()})
        rows = []
        for each in looked.values():
            granted = _granted(each, grants.get(each.acct_ref))
            if isinstance(granted, Reason):
                aside.append((each.sent, each.digest, granted))
            else:
                rows.append(_row(each, granted))
        new = await store.add(tx, device, rows, now, counted=True)
        left = [row for row in rows if row.seq not in new]
        before = await store.digests(tx, device.id, [row.seq for row in left])
        known = [row.seq for row in left if before.get(row.seq) == row.digest]
        other = [row for row in left if row.seq in before and before[row.seq] != row.digest]
        aside += [(looked[row.seq].sent, row.digest, Reason.SEQ_REUSED) for row in other]
        twice = [row for row in left if row.seq not in before]
        await store.add(tx, device, twice, now, counted=False)
        aside += [(looked[row.seq].sent, row.digest, Reason.USED_TWICE) for row in twice]
        moved = await _prefer_earlier(tx, device, twice)
        await store.mark_due(tx, {(row.account, row.day) for row in rows if row.seq in new} | moved, now)
        return [row.seq for row in rows if row.seq in new], known


async def _prefer_earlier(tx: Transaction, device: Device, twice: Sequence[TapRow]) -> set[Day]:
    """Of the copies of a code the earliest counts, whichever came first (J10); the days it changes."""
    ours: dict[UsedKey, TapRow] = {}
    for row in sorted(twice, key=lambda row: (row.at, row.seq)):
        ours.setdefault(row.used_key, row)
    moved: set[Day] = set()
    while ours:
        standing = await store.standing(tx, ours)
        # One that is missing was moved while we waited for it: it is looked for again.
        found = {each.used_key: each for each in standing}
        earlier = [
            (each, ours[key])
            for key, each in found.items()
            if (ours[key].at, device.id, ours[key].seq) < (each.at, each.device, each.seq)
        ]
        await store.swap(tx, device, [(each.id, row.seq) for each, row in earlier])
        moved |= {(row.account, day) for each, row in earlier for day in (each.day, row.day)}
        ours = {key: row for key, row in ours.items() if key not in found}
    return moved


def _without(seqs: Sequence[int], aside: Mapping[int, Reason]) -> list[int]:
    """A number under which a second tap was sent is told once: of the one that was kept aside."""
    return [seq for seq in seqs if seq not in aside]


def _looked_at(device: Device, sent: Sent, digest: bytes, now: datetime) -> _Read | Reason:
    """What one tap says by itself, before anything is looked up."""
    at = _moment(sent.at)
    if at is None or at > now + AHEAD:
        return Reason.CLOCK if at is None else Reason.FUTURE
    if (sent.line, sent.station, sent.vehicle) != (device.line, device.station, device.vehicle):
        return Reason.WRONG_PLACE
    if (sent.way is Way.BOARD) != bool(device.vehicle):
        return Reason.WRONG_WAY
    return _read(sent, digest, at)


def _read(sent: Sent, digest: bytes, at: datetime) -> _Read | Reason:
    """What its code says."""
    try:
        code = read(sent.code)
    except Unreadable:
        return Reason.UNREADABLE
    if sent.way is not _ONLY.get(code.type, sent.way):
        return Reason.NOT_ALLOWED
    return _Read(sent, digest, at, code.acct_ref, code.gen_time, code.nonce, code.type, code.cap_fen)


def _granted(tap: _Read, grant: GrantRow | None) -> GrantRow | Reason:
    """Whose code it is; the gate has checked its signatures, the server knows what it had signed."""
    if grant is None or (grant.type, grant.cap_fen) != (tap.type, tap.cap_fen):
        return Reason.UNKNOWN_CODE
    if not grant.issued_at - SKEW <= tap.at <= grant.expires_at + 2 * SKEW:
        return Reason.NOT_ITS_TIME
    return grant


def _row(tap: _Read, grant: GrantRow) -> TapRow:
    sent = tap.sent
    return TapRow(
        seq=sent.seq,
        digest=tap.digest,
        account=grant.account,
        acct_ref=tap.acct_ref,
        gen_time=tap.gen_time,
        nonce=tap.nonce,
        companion=tap.type == Type.COMPANION,
        cap_fen=tap.cap_fen,
        at=tap.at,
        day=service_day(tap.at),
        way=sent.way.value,
    )


def _moment(milliseconds: int) -> datetime | None:
    try:
        at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return at if _EARLIEST <= at <= _LATEST else None


def _digest(sent: Sent) -> bytes:
    """What tells a tap that is sent again from another one under its number."""
    said: Sequence[object] = (sent.at, sent.way.value, sent.line, sent.station, sent.vehicle)
    return hashlib.blake2b(repr(said).encode() + sent.code, digest_size=16).digest()
