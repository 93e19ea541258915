"""Gates that upload at the same time: the same codes in whatever order, and no batch is turned away."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.errors import StoreGoneError
from core.stores.database import Database
from services.transit import taps_store
from services.transit.model import Device, Ingested, Reason, Sent
from services.transit.taps_store import TapRow
from tests.services.transit.line import MORNING, Line, after
from tests.support.waiting import until

WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def waiting(db: Database, sessions: int) -> None:
    """Until so many wait for others."""

    async def enough() -> bool:
        return int(await db.fetchval(WAITING)) >= sessions

    await until(enough, f"{sessions} sessions wait")


async def copied(line: Line, riders: int) -> tuple[list[Sent], list[Sent]]:
    """Codes that two buses without a network let through, each in its own order."""
    first = [
        (await line.tap(await line.rider(), "E1", "board", after(number)))[1] for number in range(riders)
    ]
    await line.gate("E2")
    second = [replace(sent, vehicle="E2", seq=seq) for seq, sent in enumerate(reversed(first), start=1)]
    return first, second


async def crossing(line: Line, db: Database) -> list[Ingested | BaseException]:
    """Both upload at once, and meet in the middle: a third upload has the middle code and gives it up."""
    first, second = await copied(line, 3)
    devices: list[Device] = [line.gates[each].device for each in ("E1", "E2")]
    middle = await db.fetchrow("SELECT acct_ref, account FROM transit_grants ORDER BY acct_ref OFFSET 1")
    assert middle is not None
    try:
        async with db.transaction() as tx:
            await taps_store.add(
                tx, line.gates["E3"].device, [_row(first[1], *middle)], line.clock.now(), counted=True
            )
            both = [
                asyncio.create_task(line.uploads(device, *taps))
                for device, taps in zip(devices, (first, second), strict=True)
            ]
            await waiting(db, 2)
            raise _GivenUp  # noqa: TRY301 - it is how a transaction is rolled back
    except _GivenUp:
        return await asyncio.gather(*both, return_exceptions=True)


class _GivenUp(Exception):  # noqa: N818 - how a transaction is rolled back
    pass


def _row(sent: Sent, acct_ref: bytes, account: str) -> TapRow:
    from_code = sent.code[24:28], sent.code[30:38]  # docs/transit-code.md, kind S
    return TapRow(
        seq=1,
        digest=bytes(16),
        account=account,
        acct_ref=acct_ref,
        gen_time=int.from_bytes(from_code[0]),
        nonce=from_code[1],
        companion=False,
        cap_fen=600,
        at=MORNING,
        day=MORNING.date(),
        way="board",
    )


async def counted(db: Database) -> tuple[int, int]:
    row = await db.fetchrow("SELECT count(*) FILTER (WHERE counted), count(*) FROM transit_taps")
    assert row is not None
    return row[0], row[1]


@pytest.fixture
async def two(db: Database) -> Line:
    line = Line(db, ManualClock(MORNING + timedelta(hours=4)))
    await line.gate("E3")
    return line


async def test_two_gates_that_upload_the_same_codes_crosswise(two: Line, db: Database) -> None:
    """One of them was turned away by PostgreSQL, which ended a deadlock."""
    one, other = await crossing(two, db)
    assert isinstance(one, Ingested)
    assert isinstance(other, Ingested)
    assert sorted((len(one.accepted), len(other.accepted))) == [0, 3]
    assert {*one.quarantined.values(), *other.quarantined.values()} == {Reason.USED_TWICE}
    assert await counted(db) == (3, 6), "each code once, and the copies are kept"


async def test_control_without_one_order_they_end_in_a_deadlock(
    two: Line, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def as_they_came(rows: Sequence[TapRow]) -> list[TapRow]:
        return list(rows)

    monkeypatch.setattr(taps_store, "in_order", as_they_came)
    told = await crossing(two, db)
    assert [type(each) for each in told].count(StoreGoneError) == 1


async def test_a_gate_that_sends_a_batch_again_before_it_has_an_answer(two: Line, db: Database) -> None:
    first, _ = await copied(two, 5)
    device = two.gates["E1"].device
    told = await asyncio.gather(*(two.uploads(device, *taps) for taps in (first, first[::-1], first[2:])))
    assert sorted(seq for each in told for seq in each.accepted) == [1, 2, 3, 4, 5]
    assert not any(each.quarantined for each in told)
    assert await counted(db) == (5, 5)


async def test_uploads_and_settling_at_once_leave_nothing_unpaired(two: Line, db: Database) -> None:
    """A tap that comes while its day is being paired is paired in the next round."""
    riders = [await two.rider() for _ in range(8)]
    taps = [
        await two.tap(rider, place, way, after(minutes))
        for rider in riders
        for place, way, minutes in (("zhongnan", "in", 0), ("guanggu", "out", 25))
    ]

    async def settle() -> None:
        for _ in range(len(taps)):
            await two.settling.settle()

    await asyncio.gather(*(two.uploads(device, sent) for device, sent in taps), settle(), settle())
    await two.settles()
    for rider in riders:
        assert await two.trips(rider) == [("closed", "owed", 400)]
    assert await db.fetchval("SELECT count(*) FROM transit_due") == 0
