"""What trips cost is asked for once, booked to the fen, and put right when taps arrive late (invariant 6)."""

import itertools
import random

import pytest

from core.clock import ManualClock
from core.stores.database import Database
from gate.code import Type
from services.payments.model import PaymentState
from services.transit.model import Device, Sent
from tests.services.transit.line import TIMETABLE, Line, after

STATIONS = sorted(TIMETABLE.network.stations)
BOOKS = ("rider", "fares", "advance", "bank")


async def books(line: Line) -> dict[str, int]:
    return {name: await line.balance(name) for name in BOOKS}


async def test_a_trip_that_is_paid(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "zhongnan", "guanggu")
    assert await books(line) == {"rider": 400, "fares": -400, "advance": 0, "bank": 0}
    await line.pays("p1")
    assert await books(line) == {"rider": 0, "fares": -400, "advance": 0, "bank": 400}
    assert await line.trips(rider) == [("closed", "settled", 400)]


async def test_a_trip_that_costs_nothing_asks_for_nothing(line: Line) -> None:
    rider = await line.rider()
    for way, minutes in (("in", 0), ("out", 10)):
        device, sent = await line.tap(rider, "zhongnan", way, after(minutes))
        await line.uploads(device, sent)
    await line.settles()
    assert await line.trips(rider) == [("closed", "none", 0)]
    assert not line.collector.payments


async def test_behind_until_it_is_paid(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "zhongnan", "guanggu")
    await line.fails("p1")
    await line.fails("p1")
    assert await books(line) == {"rider": 0, "fares": -400, "advance": 400, "bank": 0}
    assert await line.account(rider) == "arrears"
    assert await line.trips(rider) == [("closed", "arrears", 400)]
    await line.pays("p1")
    assert await books(line) == {"rider": 0, "fares": -400, "advance": 0, "bank": 400}
    assert await line.account(rider) == "active"


async def test_two_behind_and_one_paid_is_still_behind(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "zhongnan", "guanggu")
    await line.rides(rider, "guanggu", "zhongnan", minutes=60)
    for payment in ("p1", "p2"):
        await line.fails(payment)
    await line.pays("p1")
    assert await line.account(rider) == "arrears"
    await line.pays("p2")
    assert await line.account(rider) == "active"


async def test_an_exit_that_comes_late_after_all_is_paid(line: Line) -> None:
    rider = await line.rider()
    await line.rides(rider, "hanyang", "guanggu")
    await line.pays("p1")
    device, sent = await line.tap(rider, "simenkou", "out", after(5))
    await line.uploads(device, sent)
    await line.settles()
    assert line.collector.asked_back == {"p1": 300}
    await line.goes_back("p1")
    assert await books(line) == {"rider": 0, "fares": -200, "advance": 0, "bank": 200}


async def test_a_late_entry_makes_it_dearer(line: Line) -> None:
    """What had been a way back out where one came in turns out to be the end of a longer ride."""
    rider = await line.rider()
    entry, early = await line.tap(rider, "guanggu", "in", after(0))
    for place, way, minutes in (("hanyang", "in", 30), ("simenkou", "out", 35)):
        device, sent = await line.tap(rider, place, way, after(minutes))
        await line.uploads(device, sent)
    await line.settles()
    await line.uploads(entry, early)
    await line.settles()
    assert await line.trips(rider) == [("missing_exit", "none", 0), ("closed", "owed", 200)]


async def test_the_end_of_the_day_leaves_who_is_under_way_without_an_exit(line: Line) -> None:
    rider = await line.rider()
    device, sent = await line.tap(rider, "zhongnan", "in", after(0))
    await line.uploads(device, sent)
    await line.settles()
    assert await line.settling.close_days() == 0, "the day is not over"
    line.clock.set(after(19 * 60 + 1))  # 03:01
    assert await line.settling.close_days() == 1
    await line.settles()
    assert await line.trips(rider) == [("missing_exit", "none", 0)]
    assert [what for what, _ in line.ears.told] == ["missing_exit"]
    other, out = await line.tap(rider, "guanggu", "out", after(25))
    await line.uploads(other, out)
    await line.settles()
    assert await line.trips(rider) == [("closed", "owed", 400)], "the gate had no network until now"


async def history(line: Line, chance: random.Random) -> list[str]:
    """Riders tap here and there; uploads, payments and refunds come in whatever order."""
    riders = [await line.rider() for _ in range(3)]
    waiting: list[tuple[Device, Sent]] = []
    for rider, number in itertools.product(riders, range(8)):
        way = chance.choice(["in", "out", "board"])
        place = chance.choice(["E1", "E2"] if way == "board" else STATIONS[:4])
        kind = Type.COMPANION if way == "board" and chance.random() < 0.2 else Type.SELF
        at = after(number * 20 + chance.randrange(15))
        waiting.append(await line.tap(rider, place, way, at, kind))
    chance.shuffle(waiting)
    while waiting:
        for device, sent in [waiting.pop() for _ in range(min(len(waiting), chance.randint(1, 5)))]:
            await line.uploads(device, sent)
            if chance.random() < 0.3:
                await line.uploads(device, sent)
        await line.settles()
        await money_moves(line, chance, every=False)
    await money_moves(line, chance, every=True)
    return riders


async def money_moves(line: Line, chance: random.Random, *, every: bool) -> None:
    for payment, found in list(line.collector.payments.items()):
        if found.state is PaymentState.OWED and (every or chance.random() < 0.5):
            if chance.random() < 0.3:
                await line.fails(payment)
            await line.pays(payment)
        if every or chance.random() < 0.5:
            await line.goes_back(payment)


@pytest.mark.parametrize("seed", range(6))
async def test_debits_less_refunds_are_the_fares(db: Database, clock: ManualClock, seed: int) -> None:
    """Invariant 6: and all taps once more, in order, give the same trips."""
    clock.set(after(240))
    chance = random.Random(seed)
    line = Line(db, clock)
    riders = await history(line, chance)

    payments = line.collector.payments.values()
    debits = sum(each.amount_fen for each in payments if each.state is PaymentState.PAID)
    refunds = sum(each.refunded_fen for each in payments)
    trips = [trip for rider in riders for trip in await line.trips(rider)]
    fares = sum(fen for _, _, fen in trips)
    assert debits - refunds == fares
    assert await books(line) == {"rider": 0, "fares": -fares, "advance": 0, "bank": fares}
    assert {money for _, money, fen in trips if fen} <= {"settled"}
    assert {await line.account(rider) for rider in riders} == {"active"}

    await db.execute("INSERT INTO transit_due SELECT DISTINCT account, day, now() FROM transit_taps")
    before = await db.fetchval("SELECT count(*) FROM transit_trip_events")
    await line.settles()
    assert await db.fetchval("SELECT count(*) FROM transit_trip_events") == before, "nothing differs (J11)"


async def test_the_events_of_trips_give_their_rows(db: Database, clock: ManualClock) -> None:
    """Invariant 2."""
    clock.set(after(240))
    await history(Line(db, clock), random.Random(99))
    differing = await db.fetchval(
        """
        SELECT count(*) FROM transit_trips t LEFT JOIN LATERAL (
            SELECT * FROM transit_trip_events e WHERE e.trip = t.id ORDER BY e.version DESC LIMIT 1) e ON true
        WHERE (t.version, t.state, t.money, t.fare_fen, t.charged_fen)
              IS DISTINCT FROM (e.version, e.state, e.money, e.fare_fen, e.charged_fen)
        """
    )
    assert differing == 0
