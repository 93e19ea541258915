"""Invariants 1, 2 and 3 of domain-rules 9, under arbitrary histories, on a real database."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.effects import AlreadyDone, Effect
from core.errors import DomainError
from services.hospital.service import Hospital
from tests.services.ward import Ward, at

_examples = itertools.count(1)
PATIENT = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("hold"), st.integers(0, 3), st.integers(0, 3)),  # citizen, period
        st.tuples(st.just("cancel"), st.integers(0, 9), st.just(0)),  # booking
        st.tuples(st.just("move"), st.integers(0, 9), st.integers(0, 5)),  # booking, period
        st.tuples(st.just("counter"), st.integers(0, 9), st.integers(0, 6)),  # booking, step
        st.tuples(st.just("wait"), st.integers(0, 40), st.just(0)),  # minutes
        st.tuples(st.just("expire"), st.just(0), st.just(0)),
        st.tuples(st.just("suspend"), st.integers(0, 1), st.just(0)),  # session
    ),
    max_size=14,
)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(0, 2), st.integers(0, 5)),
        st.tuples(st.just("move"), st.integers(0, 2), st.integers(0, 5)),
        st.tuples(st.sampled_from(("cancel", "counter")), st.integers(0, 2), st.integers(0, 6)),
        st.tuples(st.just("wait"), st.integers(0, 20), st.just(0)),
        st.tuples(st.sampled_from(("expire", "suspend")), st.integers(0, 2), st.just(0)),
    ),
    min_size=3,
    max_size=12,
)
COUNTER = ("confirm", "check_in", "call", "pass", "start", "finish", "miss")


class City:
    """One example's own doctors' sessions, so that examples share a database and nothing else."""

    def __init__(self, ward: Ward, hospital: Hospital, clock: ManualClock) -> None:
        self.ward = ward
        self.hospital = hospital
        self.clock = clock
        self.run = f"example-{next(_examples)}"
        self.citizens: list[str] = []
        self.periods: list[str] = []
        self.bookings: list[str] = []

    async def open(self) -> None:
        """Three sessions of two periods, the second one to be paid."""
        self.clock.set(at("07:00"))
        await self._new_doctors()
        free = await self.ward.session(f"heart-{self.run}", at("10:00"), units=(1, 2))
        paid = await self.ward.session(f"lungs-{self.run}", at("10:00"), fee_fen=1000, units=(2, 1))
        further = await self.ward.session(f"bones-{self.run}", at("10:00"), units=(1, 2))
        self.periods = [*free, *paid, *further]
        self.citizens = [await self.ward.citizen() for _ in range(4)]

    async def _new_doctors(self) -> None:
        for department in ("heart", "lungs", "bones"):
            await self.ward.db.execute(
                "INSERT INTO doctors VALUES ($1, $2, '陈', '某', '主任医师', '')",
                f"{department}-{self.run}",
                department,
            )

    async def step(self, number: int, what: str, one: int, two: int) -> None:
        named = Effect(self.run, f"{what}-{number}", b"")
        if what == "hold":
            citizen = self.citizens[one]
            self.bookings.append(await self.hospital.hold(self.periods[two], citizen, named))
        elif what == "cancel" and self.bookings:
            booking = await self.hospital.booking(self.bookings[one % len(self.bookings)])
            await self.hospital.cancel(booking.id, booking.citizen, named)
        elif what == "move" and self.bookings:
            booking = await self.hospital.booking(self.bookings[one % len(self.bookings)])
            await self.hospital.move(booking.id, self.periods[two], booking.citizen, named)
        elif what == "counter" and self.bookings:
            await self._counter(self.bookings[one % len(self.bookings)], COUNTER[two])
        elif what == "wait":
            self.clock.move(timedelta(minutes=one))
        elif what == "expire":
            await self.hospital.expire_holds()
        elif what == "suspend":
            session = (await self.hospital.quote(self.periods[one * 2], self.citizens[0])).id.rsplit(":", 1)[
                0
            ]
            await self.hospital.suspend_session(session, "staff")

    async def _counter(self, booking: str, step: str) -> None:
        """Take a step only where the machine allows: what it refuses is tested elsewhere."""
        if await self.ward.db.fetchval(
            "SELECT count(*) FROM bookings b JOIN units u ON u.booking = b.id"
            " JOIN unit_transitions t ON t.old = u.state WHERE b.id = $1 AND t.what = $2",
            booking,
            step,
        ):
            await self.ward.move(booking, step)

    async def check(self) -> None:
        """Invariant 1 by counting, invariant 2 by replaying the events."""
        assert await self.hospital.audit() == []
        doubles = await self.ward.db.fetch(
            "SELECT p.session, u.person FROM units u JOIN periods p ON p.id = u.period"
            " WHERE u.person IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1"
        )
        assert doubles == []
        astray = (
            "SELECT count(*) FROM bookings b JOIN units u ON u.id = b.unit JOIN periods p ON p.id = u.period"
        )
        assert await self.ward.db.fetchval(f"{astray} WHERE p.session <> b.session") == 0
        assert await self._replayed() == await self._stored()
        assert await self._bookings_replayed() == await self._bookings_stored()

    async def _stored(self) -> list[tuple[object, ...]]:
        return [
            tuple(row)
            for row in await self.ward.db.fetch(
                "SELECT id, state, version, booking, hold_until, public_at, what, who, key, changed_at"
                " FROM units ORDER BY id"
            )
        ]

    async def _replayed(self) -> list[tuple[object, ...]]:
        """Build the rows again from nothing but their events."""
        rows: dict[int, tuple[object, ...]] = {}
        for event in await self.ward.db.fetch("SELECT * FROM unit_events ORDER BY unit, version"):
            booking = None if event["new"] == "free" else event["booking"]
            before = rows.get(event["unit"])
            assert event["old"] == (before[1] if before else "")
            rows[event["unit"]] = (
                event["unit"],
                event["new"],
                event["version"],
                booking,
                event["hold_until"],
                event["public_at"],
                event["what"],
                event["who"],
                event["key"],
                event["at"],
            )
        return [rows[unit] for unit in sorted(rows)]

    async def _bookings_stored(self) -> dict[str, tuple[object, ...]]:
        rows = await self.ward.db.fetch("SELECT id, unit, version, returned_at, outcome FROM bookings")
        return {row["id"]: tuple(row)[1:] for row in rows}

    async def _bookings_replayed(self) -> dict[str, tuple[object, ...]]:
        """Where each booking is, its version, and how it ended, from nothing but its units' events."""
        rows: dict[str, tuple[object, ...]] = {}
        for event in await self.ward.db.fetch(
            "SELECT * FROM unit_events WHERE booking IS NOT NULL ORDER BY id"
        ):
            unit, version, *_ = rows.get(event["booking"], (None, 0))
            assert isinstance(version, int)
            ended: tuple[object, object] = (None, None)
            if event["what"] == "hold":
                unit = event["unit"]
            assert unit == event["unit"], "an event of a unit that the booking does not have"
            if event["new"] in ("free", "suspended"):
                version += 1
            if event["new"] == "free" and event["what"] != "move":
                ended = (event["at"], event["what"])
            rows[event["booking"]] = (unit, version, *ended)
        return rows


@PATIENT
@given(steps=STEPS)
async def test_after_any_history_quotas_bookings_and_events_agree(
    ward: Ward, hospital: Hospital, clock: ManualClock, steps: list[tuple[str, int, int]]
) -> None:
    city = City(ward, hospital, clock)
    await city.open()
    for number, (what, one, two) in enumerate(steps):
        with suppress(DomainError):  # refusals are part of a history
            await city.step(number, what, one, two)
    await city.check()


@PATIENT
@given(moves=MOVES)
async def test_after_any_history_of_moves_they_agree_too(
    ward: Ward, hospital: Hospital, clock: ManualClock, moves: list[tuple[str, int, int]]
) -> None:
    """Three begin with a booking each; most of what happens then is moving."""
    city = City(ward, hospital, clock)
    await city.open()
    beginning = [("hold", citizen, period) for citizen, period in ((0, 0), (1, 1), (2, 2))]
    for number, (what, one, two) in enumerate([*beginning, *moves]):
        with suppress(DomainError):
            await city.step(number, what, one, two)
    await city.check()


async def settle(deliveries: list[Callable[[], Awaitable[str]]]) -> list[str]:
    """Deliver all at once and say what each came to: a booking or a refusal's code."""
    outcomes = await asyncio.gather(*(deliver() for deliver in deliveries), return_exceptions=True)
    said = []
    for outcome in outcomes:
        assert isinstance(outcome, (str, DomainError)), outcome
        assert not isinstance(outcome, AlreadyDone)
        said.append(outcome if isinstance(outcome, str) else outcome.code)
    return said


@PATIENT
@given(
    wishes=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4)), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
async def test_delivered_one_to_four_times_in_any_order_at_once_each_wish_is_one_booking(
    ward: Ward, hospital: Hospital, clock: ManualClock, wishes: list[tuple[int, int]], seed: int
) -> None:
    """Invariant 3, on the side of the service: each citizen has one wish, `copies` times delivered."""
    city = City(ward, hospital, clock)
    await city.open()
    deliveries: list[tuple[int, Callable[[], Awaitable[str]]]] = []
    for number, (period, copies) in enumerate(wishes):
        named = Effect(city.run, f"wish-{number}", str(period).encode())
        deliver = _delivery(hospital, city.periods[period], city.citizens[number], named)
        deliveries += [(number, deliver)] * copies
    random.Random(seed).shuffle(deliveries)
    outcomes = await settle([deliver for _, deliver in deliveries])
    by_wish: dict[int, set[str]] = {}
    for (number, _), outcome in zip(deliveries, outcomes, strict=True):
        by_wish.setdefault(number, set()).add(outcome)
    assert all(len(outcome) == 1 for outcome in by_wish.values()), by_wish
    bookings = {outcome for (outcome,) in by_wish.values() if outcome.startswith("b_")}
    made = await ward.db.fetch("SELECT id FROM bookings WHERE citizen = ANY($1)", city.citizens)
    assert {row["id"] for row in made} == bookings
    await city.check()


def _delivery(hospital: Hospital, period: str, citizen: str, named: Effect) -> Callable[[], Awaitable[str]]:
    return lambda: hospital.hold(period, citizen, named)
