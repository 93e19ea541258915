"""One notice to many, from its facts to its job: what it will say, to how many, over how many days."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Protocol

import msgspec

from core.clock import CITY_ZONE, Clock
from core.delivery import jobs, plan
from core.delivery.jobs import Draft
from core.delivery.kinds import Kind
from core.delivery.lanes import Lane
from core.delivery.letters import Letter
from core.delivery.notices import Notice, NoticeRefused, Notices
from core.delivery.plan import Day
from core.delivery.rates import SUBSCRIPTION, TEMPLATE, WINDOW, Rates
from core.seal import Seal
from core.stores.database import Database


class Crowd(Protocol):
    """Who knows how many an audience has."""

    async def count(self, account: str, audience: str) -> int:
        """So many recipients."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to tell an audience; `facts` are those its kind's words and fields name."""

    kind: str
    account: str
    audience: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of a wish if it is made; `days` are the most it can need."""

    wish: Wish
    letter: Letter
    recipients: int
    api: str
    days: list[Day]
    not_before: datetime
    valid_until: datetime

    @property
    def key(self) -> str:
        """The same facts for the same audience are one notice: they are sent once."""
        return _key(self.wish, self.letter)


class Announcer:
    """Looks at a notice to many before it is made, and makes it."""

    def __init__(
        self, db: Database, seal: Seal, notices: Notices, rates: Rates, crowd: Crowd, clock: Clock
    ) -> None:
        self._db = db
        self._seal = seal
        self._notices = notices
        self._rates = rates
        self._crowd = crowd
        self._clock = clock

    async def look(self, wish: Wish) -> Outlook:
        """Check a notice whole; `NoticeRefused` names the field that is wrong, or says that time is short."""
        kind = self._kind(wish)
        now = self._clock.now()
        valid_until = now + kind.valid_for
        not_before = kind.quiet.moved(now, valid_until)
        if not_before is None:
            raise NoticeRefused(
                kind=kind.name, field="valid_for", why="it would be held until it is too late"
            )
        notice = Notice(kind.name, "", f"{wish.account}:", wish.facts)
        letter = self._notices.letter(kind, notice, valid_until, not_before)
        recipients = await self._crowd.count(wish.account, wish.audience)
        api = TEMPLATE if letter.template else SUBSCRIPTION if letter.subscription else WINDOW
        share = self._rates.limits.share(wish.account, api, Lane.BULK)
        first = not_before.astimezone(CITY_ZONE).date()
        begins_today = first == now.astimezone(CITY_ZONE).date()
        left = await self._rates.left_today(wish.account, api, Lane.BULK) if begins_today else share
        ahead = await jobs.ahead(self._db, wish.account, _key(wish, letter))
        days = plan.days(recipients, left, share, first, ahead)
        last = _noon(days[-1]) if days else not_before
        if days and last > valid_until:
            why = f"it needs {len(days)} days, and is worth sending for {kind.valid_for.days}"
            raise NoticeRefused(kind=kind.name, field="valid_for", why=why)
        return Outlook(wish, letter, recipients, api, days, not_before, valid_until)

    async def make(self, outlook: Outlook, who: str) -> int:
        """Make the job; the same notice again is the same job."""
        draft = Draft(
            key=outlook.key,
            kind=outlook.wish.kind,
            account=outlook.wish.account,
            audience=outlook.wish.audience,
            letter=outlook.letter,
            not_before=outlook.not_before,
            valid_until=outlook.valid_until,
            who=who,
        )
        async with self._db.transaction() as tx:
            return await jobs.make(tx, self._seal, draft)

    def _kind(self, wish: Wish) -> Kind:
        kind = self._notices.kinds.get(wish.kind)
        if kind is None:
            known = ", ".join(each.name for each in self._notices.kinds)
            raise NoticeRefused(kind=wish.kind, field="kind", why=f"one of {known}")
        if kind.lane is not Lane.BULK:
            raise NoticeRefused(kind=kind.name, field="lane", why="bulk: this kind is not for many")
        return kind


def _key(wish: Wish, letter: Letter) -> str:
    said = msgspec.json.encode([wish.account, wish.audience, letter.text, letter.fields])
    return f"{wish.kind}:{hashlib.sha256(said).hexdigest()[:16]}:0"


def _noon(day: Day) -> datetime:
    return datetime.combine(day.date, time(12), CITY_ZONE)
