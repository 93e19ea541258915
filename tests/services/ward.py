"""A small hospital for tests: sessions exactly as a test needs them."""

import itertools
from datetime import date, datetime, time, timedelta

from core.clock import CITY_ZONE, ManualClock
from core.effects import Effect
from core.stores.database import Database
from services.citizens.service import Citizens

MONDAY = date(2026, 11, 23)
DEPARTMENTS = ("heart", "lungs", "bones", "skin", "eyes")
HALF_HOUR = timedelta(minutes=30)
_numbers = itertools.count(1)


def at(clock_time: str, day: date = MONDAY) -> datetime:
    """Spell "09:30" on a day as an aware time."""
    return datetime.combine(day, time.fromisoformat(clock_time), CITY_ZONE)


def effect(run: str | None = None, key: str = "hold", digest: bytes = b"same") -> Effect:
    """An effect of a run of its own, unless a run is named."""
    return Effect(run or f"run-{next(_numbers)}", key, digest)


class Ward:
    """Builds sessions; doctor "heart-1" is the first of department "heart"."""

    def __init__(self, db: Database, citizens: Citizens, clock: ManualClock) -> None:
        self.db = db
        self.citizens = citizens
        self.clock = clock

    async def build(self) -> None:
        await self.db.execute("INSERT INTO hospitals VALUES ('h', '测试医院', '一号街', '0199-5550000', 1)")
        for rank, name in enumerate(DEPARTMENTS):
            await self.db.execute("INSERT INTO specialties VALUES ($1, $1, '{}', '{}', $2)", name, rank)
            await self.db.execute("INSERT INTO departments VALUES ($1, 'h', $1, '一楼')", name)
            for number in (1, 2):
                await self.db.execute(
                    "INSERT INTO doctors VALUES ($1, $2, '陈', $3, '主任医师', '')",
                    f"{name}-{number}",
                    name,
                    f"{name}{number}",
                )

    async def citizen(self) -> str:
        number = next(_numbers)
        return await self.citizens.arrive(f"city:{number:032x}", "city", f"openid-{number}")

    async def person(self, citizen: str) -> str:
        """The person a citizen is."""
        return await self.citizens.self_person(citizen)

    async def session(
        self,
        doctor: str = "heart-1",
        starts: datetime | None = None,
        *,
        half: str = "AM",
        clinic_class: str = "general",
        fee_fen: int = 0,
        units: tuple[int, ...] = (1,),
    ) -> list[str]:
        """Open a session with one half-hour period per number in `units`; return the periods."""
        first = starts or at("09:30")
        department, _, _ = doctor.partition("-")
        session = f"{doctor}:{first:%Y-%m-%d}:{half}"
        await self.db.execute(
            "INSERT INTO sessions (id, doctor, department, date, half, class, fee_fen, place, quota)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, '一楼1诊室', $8)",
            session,
            doctor,
            department,
            first.date(),
            half,
            clinic_class,
            fee_fen,
            sum(units),
        )
        periods = []
        for place, count in enumerate(units):
            starts_at = first + place * HALF_HOUR
            period = f"{session}:{starts_at:%H%M}"
            await self.db.execute(
                "INSERT INTO periods VALUES ($1, $2, $3, $4)",
                period,
                session,
                starts_at,
                starts_at + HALF_HOUR,
            )
            await self.db.execute(
                "INSERT INTO units (period, no, who, key, changed_at)"
                " SELECT $1, $2 + n, 'test', 'open', $4 FROM generate_series(1, $3) n",
                period,
                sum(units[:place]),
                count,
                self.clock.now(),
            )
            periods.append(period)
        return periods

    async def move(self, booking: str, *steps: str) -> str:
        """Move the booking's unit along its machine, as counter and doctor will; return the last state."""
        state = ""
        for step in steps:
            state = await self.db.fetchval(
                "SELECT unit_move(unit, $2, 'counter', 'test', $3) FROM bookings WHERE id = $1",
                booking,
                step,
                self.clock.now(),
            )
        return state

    async def states(self) -> dict[str, int]:
        """Count the units of all sessions by state."""
        rows = await self.db.fetch("SELECT state, count(*)::integer AS n FROM units GROUP BY state")
        return {row["state"]: row["n"] for row in rows}
