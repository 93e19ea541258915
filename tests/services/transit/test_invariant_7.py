"""Invariant 7, J10, J11: whatever order gates upload in, taps, trips, fares and books are the same."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from core.clock import ManualClock
from core.stores.database import Database
from gate.code import UsedKey, read
from services.transit.model import Device, Sent
from services.transit.pairing import Tap, Way, service_day, trips
from tests.services.transit.line import MORNING, TIMETABLE, Line, after

PLACES = ["zhongnan", "guanggu", "jiedaokou", "E1", "E2"]
DAYS = 2
Seen = tuple[str, str, int, str, str | None]  # rider, state, fare, places of the first tap and the last


@dataclass
class History:
    """What gates let through on two days, and whose each code is."""

    journals: list[tuple[Device, Sent]] = field(default_factory=list)
    riders: dict[UsedKey, str] = field(default_factory=dict)

    def earliest(self) -> dict[UsedKey, tuple[Device, Sent]]:
        """What is to count: of each code the first opening, by gates' time."""
        found: dict[UsedKey, tuple[Device, Sent]] = {}
        for device, sent in sorted(self.journals, key=lambda each: (each[1].at, each[0].id, each[1].seq)):
            found.setdefault(read(sent.code).used_key, (device, sent))
        return found


async def happened(line: Line, chance: random.Random) -> History:
    """Riders go in, out and aboard; some codes are copied and open another gate without a network, too."""
    history = History()
    riders = [await line.rider() for _ in range(3)]
    moments = chance.sample(
        range(DAYS * 20 * 60 * 10), 30
    )  # tenths of a minute, from eight till four at night
    for tenth in sorted(moments):
        rider, place = chance.choice(riders), chance.choice(PLACES)
        way = "board" if place.startswith("E") else chance.choice(["in", "out"])
        device, sent = await line.tap(rider, place, way, after(tenth / 10))
        history.journals.append((device, sent))
        history.riders[read(sent.code).used_key] = rider
        if chance.random() < 0.4:
            history.journals += [
                await copied(line, chance, sent, place) for _ in range(chance.choice([1, 2]))
            ]
    return history


async def copied(line: Line, chance: random.Random, sent: Sent, place: str) -> tuple[Device, Sent]:
    """The same code somewhere else, up to ten minutes later."""
    gate = await line.gate(chance.choice([each for each in PLACES if each != place]))
    gate.seq += 1
    way = Way.BOARD if gate.device.vehicle else chance.choice([Way.IN, Way.OUT])
    at = sent.at + chance.randint(1, 600_000)
    here = gate.device
    return here, Sent(gate.seq, at, way, here.line, sent.code, here.station, here.vehicle)


async def arrives(line: Line, chance: random.Random, journals: Sequence[tuple[Device, Sent]]) -> None:
    """Every journal, in batches of any size and order, some at once, some again; settled now and then."""
    waiting = list(journals)
    chance.shuffle(waiting)
    while waiting:
        lots = [[waiting.pop() for _ in range(min(len(waiting), chance.randint(1, 6)))] for _ in range(3)]
        batches = [batch for lot in lots for batch in by_gate(lot)]
        batches += [chance.choice(batches)] if chance.random() < 0.5 else []
        told = await asyncio.gather(
            *(line.uploads(device, *taps) for device, taps in batches),
            *([line.settles()] if chance.random() < 0.5 else []),
        )
        for (_, taps), answer in zip(batches, told, strict=False):
            assert answer is not None
            numbers = [*answer.accepted, *answer.known, *answer.quarantined]
            assert sorted(numbers) == sorted(sent.seq for sent in taps), "nothing is lost"
        if chance.random() < 0.5:
            again = chance.choice(journals[: len(journals) - len(waiting)] or journals)
            waiting += [again] if chance.random() < 0.3 else []
    await line.settling.close_days()
    await line.settles()


def by_gate(lot: Sequence[tuple[Device, Sent]]) -> list[tuple[Device, list[Sent]]]:
    return [(device, [sent for each, sent in lot if each == device]) for device in {each for each, _ in lot}]


def expected(history: History) -> list[Seen]:
    """By the pure function alone, from the earliest opening of each code."""
    days: dict[tuple[str, object], list[Tap]] = {}
    for number, (key, (device, sent)) in enumerate(history.earliest().items()):
        at = datetime.fromtimestamp(sent.at / 1000, UTC)
        place = device.line, device.station, device.vehicle
        tap = Tap(number, at, sent.way, *place, cap_fen=600)
        days.setdefault((history.riders[key], service_day(at)), []).append(tap)
    found = []
    for (rider, _), taps in days.items():
        for trip in trips(taps, TIMETABLE.network, TIMETABLE.tariffs[0], over=True):
            first, last = trip.first, trip.last
            ends = (last.station or last.vehicle) if last else None
            found.append((rider, trip.state.value, trip.fen, first.station or first.vehicle, ends))
    return sorted(found, key=str)


async def stored(db: Database) -> list[Seen]:
    rows = await db.fetch(
        """
        SELECT t.account, t.state, t.fare_fen, f.station || f.vehicle, l.station || l.vehicle
        FROM transit_trips t JOIN transit_taps f ON f.id = t.first_tap
        LEFT JOIN transit_taps l ON l.id = t.last_tap WHERE t.state <> 'void'
        """
    )
    return sorted((tuple(row) for row in rows), key=str)


async def counting(db: Database) -> dict[UsedKey, tuple[str, int]]:
    rows = await db.fetch("SELECT acct_ref, gen_time, nonce, device, seq FROM transit_taps WHERE counted")
    assert len({tuple(row)[:3] for row in rows}) == len(rows)
    return {tuple(row)[:3]: (row["device"], row["seq"]) for row in rows}


@pytest.mark.parametrize("seed", range(5))
async def test_any_order_gives_the_same_trips_fares_and_books(
    db: Database, clock: ManualClock, seed: int
) -> None:
    chance = random.Random(seed)
    clock.set(MORNING)
    line = Line(db, clock)
    history = await happened(line, chance)
    clock.set(after((DAYS * 24 + 4) * 60))
    await arrives(line, chance, history.journals)

    counted = await counting(db)
    assert counted == {key: (device.id, sent.seq) for key, (device, sent) in history.earliest().items()}
    kept = await db.fetchval("SELECT count(*) FROM transit_taps")
    assert kept == len(history.journals), "copies are kept and do not count"
    assert len(counted) < kept, "control: there were copies"
    assert await stored(db) == expected(history)
    fares = sum(fare for _, _, fare, *_ in expected(history))
    assert (await line.balance("fares"), await line.balance("rider")) == (-fares, fares)
    assert fares > 0, "control: something was to pay"
