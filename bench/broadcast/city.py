"""A city with very many followers, as the database knows it; and what is sent to them."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta

from bench.webhook.plan import Plan, openid
from bench.webhook.programs.gateway import furnish, settings_for
from commands import places
from commands.post import Post, post
from commands.surroundings import Surroundings
from core.clock import CITY_ZONE, SystemClock
from core.delivery import jobs
from core.delivery.jobs import Draft
from core.delivery.letters import Letter
from core.delivery.notices import Notice
from core.stores import keys
from core.stores.database import Database
from services.citizens.service import FOLLOWERS

_AT_ONCE = 5_000
_WORTH = timedelta(hours=4)
_NEWS, _ALARM = "停水通知：云汀路一带", "暴雨红色预警，不要出门"


class City:
    """Writes followers, a notice to all of them, and urgent ones to a single citizen."""

    def __init__(self, plan: Plan, db: Database) -> None:
        settings, templates = settings_for(plan, 1, 2), furnish(plan)
        self._plan = plan
        self._db = db
        self._seal = keys.load(places.key_ring(settings.stores))
        around = Surroundings(
            settings, plan.redis_url, plan.database_url, self._seal, SystemClock(), templates
        )
        self._post: Post = post(around, db)
        self._at = datetime.now(CITY_ZONE)
        self.alarms = 0

    async def settle(self) -> None:
        """Let everybody follow who follows at the platform."""
        for page in _pages(self._plan.followers):
            names = [openid(number) for number in page]
            conversations = [self._seal.conversation(self._plan.account, name) for name in names]
            await self._db.execute(
                """
                WITH guarded AS (INSERT INTO versions (key) SELECT 'recipient:' || unnest($2::text[])),
                     known AS (INSERT INTO citizens (id) SELECT unnest($1::text[]))
                INSERT INTO accounts (citizen, conversation, account, openid, following)
                SELECT citizen, conversation, $4, openid, true
                FROM unnest($1::text[], $2::text[], $3::bytea[]) AS new (citizen, conversation, openid)
                """,
                ["c_" + secrets.token_urlsafe(12) for _ in names],
                conversations,
                [
                    self._seal.seal(name.encode(), f"openid:{where}")
                    for name, where in zip(names, conversations, strict=True)
                ],
                self._plan.account,
            )

    async def announce(self) -> int:
        """A notice to all of them; the number of its job."""
        kind, at = self._post.kinds["bench_news"], self._at
        until = at + _WORTH
        draft = Draft(
            key="bench_news:n1:0",
            kind=kind.name,
            account=self._plan.account,
            audience=FOLLOWERS,
            letter=self._letter("bench_news", _NEWS),
            not_before=at,
            valid_until=until,
            who="bench",
        )
        async with self._db.transaction() as tx:
            return await jobs.make(tx, self._seal, draft)

    async def alarm(self) -> None:
        """An urgent notice to the next citizen."""
        where = self._seal.conversation(self._plan.account, openid(self.alarms))
        notice = Notice("bench_alarm", f"a{self.alarms}", where, {"what": _ALARM, "at": self._at})
        async with self._db.transaction() as tx:
            await self._post.notices.queue(tx, notice)
        self.alarms += 1

    @property
    def notice(self) -> tuple[str, ...]:
        """The card of the notice to everybody: its title, and what stands in it."""
        return self._card("bench_news", _NEWS)

    @property
    def urgent(self) -> tuple[str, ...]:
        """The card of an urgent one."""
        return self._card("bench_alarm", _ALARM)

    def _card(self, name: str, what: str) -> tuple[str, ...]:
        letter = self._letter(name, what)
        return letter.title, *(value for _, value in letter.fields)

    def _letter(self, name: str, what: str) -> Letter:
        notice = Notice(name, "n1", f"{self._plan.account}:all", {"what": what, "at": self._at})
        return self._post.notices.letter(self._post.kinds[name], notice, self._at + _WORTH, self._at)


def _pages(count: int) -> Iterator[range]:
    return (range(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE))
