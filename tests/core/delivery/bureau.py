"""A bureau that starts messages of its own: its kinds, windows, credits and jobs, and what arrives."""

from datetime import datetime, timedelta

from core.chat.inbox import Run, Who, Window
from core.clock import CITY_ZONE, ManualClock
from core.delivery import credit, guards, jobs
from core.delivery.credit import Credit
from core.delivery.jobs import Draft
from core.delivery.notices import Notice, Notices
from tests.core.delivery.town import HERE, Town, message

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=CITY_ZONE)
FACTS = {"count": 2, "what": "心内科 韩立新", "at": NOON}


class Bureau(Town):
    """A town whose officials write notices."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.notices = Notices(self.kinds, self.words, self.seal, self.clock, "http://city.example")
        self.out = self.late
        self._made = 0

    def notice(
        self, kind: str = "note", about: str = "", conversation: str = HERE, **facts: object
    ) -> Notice:
        self._made += 1
        return Notice(kind, about or f"n{self._made}", conversation, {**FACTS, **facts})

    async def queue(self, notice: Notice) -> bool:
        async with self.db.transaction() as tx:
            return await self.notices.queue(tx, notice)

    async def bump(self, key: str) -> int:
        async with self.db.transaction() as tx:
            return await guards.bump(tx, key)

    async def allows(self, template: str, conversation: str = HERE, *, long_term: bool = False) -> None:
        """A citizen taps 允许."""
        self._made += 1
        await credit.add(
            self.db, [Credit(f"e{self._made}", 0, conversation, template, long_term, datetime.now(CITY_ZONE))]
        )

    async def opens(self, window: Window = Window.MESSAGE, conversation: str = HERE) -> None:
        """A citizen writes or taps, and is answered."""
        run = await self.inbox.enter(message(conversation), Who.NEW, window)
        assert isinstance(run, Run)
        await self.inbox.commit(run, b"session", b"reply")

    async def job(self, key: str = "news:n1:0", kind: str = "news", audience: str = "all") -> int:
        known = self.kinds[kind]
        letter = self.notices.letter(known, self.notice(kind), NOON + timedelta(days=3), NOON)
        draft = Draft(
            key=key,
            kind=kind,
            account="city",
            audience=audience,
            letter=letter,
            not_before=datetime.now(CITY_ZONE),
            valid_until=datetime.now(CITY_ZONE) + timedelta(days=3),
            who="staff",
        )
        async with self.db.transaction() as tx:
            return await jobs.make(tx, self.seal, draft)

    async def states(self) -> list[tuple[str, str]]:
        """How everything stands, oldest first, and why."""
        rows = await self.db.fetch("SELECT state, reason FROM outbox ORDER BY id")
        return [(row["state"], row["reason"]) for row in rows]

    async def state(self) -> str:
        """How the only message stands."""
        (only,) = await self.states()
        return only[0]


def clock_at(hour: int, minute: int = 0) -> ManualClock:
    """A clock of that day."""
    return ManualClock(NOON.replace(hour=hour, minute=minute))
