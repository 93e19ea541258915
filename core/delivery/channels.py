"""Which way a message takes: a send window, a subscription credit, a template, or none for now (design 6)."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from core.clock import Clock
from core.delivery import credit
from core.delivery.caps import Caps
from core.delivery.kept import TOO_MANY
from core.delivery.kinds import Kind, Kinds
from core.delivery.lanes import SUB_BATCH, Lane
from core.delivery.mail import SUBSCRIPTION, TEMPLATE, WINDOW, Mail
from core.delivery.rates import Rates
from core.delivery.rows import Result
from core.delivery.verdicts import WINDOW_AGAIN_S, given_up, queued
from core.delivery.windows import Windows
from core.errors import StoreGoneError
from core.stores.database import Database

_DAY, _QUOTA = "day", "quota"
_MOST_SOON = SUB_BATCH * 3 // 4  # who waits leaves room for those of other accounts
_SOON_S = 1.0  # who waits no longer stays in hand
_log = structlog.get_logger("channels")


@dataclass(frozen=True, slots=True)
class Counters:
    """What is counted in Redis of every account and conversation."""

    windows: Windows
    caps: Caps
    rates: Rates


@dataclass(slots=True)
class Admission:
    """Who may leave now, who after `wait_s` at the latest, and the results of those that go back."""

    now: list[Mail] = field(default_factory=list)
    soon: list[Mail] = field(default_factory=list)
    wait_s: float = 0.0
    results: list[Result] = field(default_factory=list)


class Channels:
    """Chooses for a worker; what it counted it takes back for what did not leave us."""

    def __init__(self, db: Database, kinds: Kinds, counters: Counters, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._kinds = kinds
        self._windows = counters.windows
        self._caps = counters.caps
        self.rates = counters.rates

    async def choose(self, mails: Sequence[Mail]) -> tuple[list[Mail], list[Result]]:
        """Give each message its way; the results of those that have none now. `StoreGoneError`: Redis."""
        results: list[Result] = []
        ways = await asyncio.gather(*map(self._first_choice, mails), return_exceptions=True)
        for way in ways:
            if isinstance(way, BaseException):
                raise way
        open_credits = await self._credits([mail for mail in mails if not mail.channel])
        for mail, kept in zip(mails, ways, strict=True):
            if kept is not None:
                results.append(kept)  # type: ignore[arg-type] # exceptions were raised above
            elif not mail.channel and (last := await self._second_choice(mail, open_credits)) is not None:
                results.append(last)
        return [mail for mail in mails if mail.channel], results

    async def admit(self, mails: Sequence[Mail]) -> "Admission":
        """Keep as many as the account's rate and quotas let through."""
        groups: dict[tuple[str, str, str], list[Mail]] = {}
        for mail in mails:
            groups.setdefault((mail.recipient.account, mail.channel, mail.template), []).append(mail)
        found = Admission()
        for (account, api, template), group in groups.items():
            lane = group[0].row.lane
            granted = await self.rates.take(account, api, lane, len(group), template)
            for mail in group[: granted.count]:
                mail.taken.add(_QUOTA)
            found.now += group[: granted.count]
            left = group[granted.count :]
            if left and granted.wait_s <= _SOON_S and (room := _MOST_SOON - len(found.soon)) > 0:
                found.soon += left[:room]
                found.wait_s = max(found.wait_s, granted.wait_s)
                left = left[room:]
            for mail in left:
                await self.forget(mail)
                found.results.append(queued(mail, granted.why, granted.wait_s, paused=granted.stopped))
        return found

    async def forget(self, mail: Mail, *, asked: bool = False) -> None:
        """Take a message out of every count again: it did not leave us.

        What the platform was `asked` to send and refused may count there.
        """
        try:
            if _QUOTA in mail.taken and not asked:
                await self.rates.give_back(mail.recipient.account, mail.channel, 1)
            if WINDOW in mail.taken:
                await self._windows.give_back(mail.row.conversation)
            if _DAY in mail.taken:
                await self._caps.give_back(mail.row.conversation)
        except StoreGoneError:
            _log.warning("not_taken_back")  # one message fewer today: no harm
        mail.taken.clear()

    async def close(self, mail: Mail, asked_s: float) -> None:
        """Believe the platform, which was asked `asked_s` ago, that no window is open."""
        mail.taken.discard(WINDOW)
        await self._windows.close(mail.row.conversation, asked_s)

    async def _first_choice(self, mail: Mail) -> Result | None:
        """The way a message is bound to, or a send window; a result if it may not go now at all."""
        if mail.row.lane is Lane.URGENT and mail.row.given_up:
            return given_up(mail, mail.row.reason)
        kind = self._kinds.get(mail.row.kind)
        if kind is not None and (put_off := self._until_morning(mail, kind)) is not None:
            return put_off
        if kind is not None and kind.counts and not mail.row.perhaps:
            if not await self._caps.take(mail.row.conversation):
                return Result(mail.row, "held", TOO_MANY, hold="kept")
            mail.taken.add(_DAY)
        if mail.row.channel:
            mail.channel = mail.row.channel
            mail.template = _template(mail)
            return None
        if not mail.recipient.following:
            return None
        is_open = await self._windows.take(mail.row.conversation, mail.row.lane.spared)
        if is_open:
            mail.taken.add(WINDOW)
        # Redis may have forgotten a window. Only who waits for an answer gets one in spite of that.
        if is_open or (is_open is None and mail.is_reply):
            mail.channel = WINDOW
        return None

    def _until_morning(self, mail: Mail, kind: Kind) -> Result | None:
        """Hold it until some minutes after the quiet hours, or end it if that is too late; None by day."""
        row, now = mail.row, self._clock.now()
        if kind.quiet.over_at(now) is None:
            return None
        way = row.channel if row.perhaps else ""
        at = kind.quiet.moved(now, now + row.worth)
        if at is None:
            return Result(row, "expired", "quiet hours", channel=way)
        return Result(row, "held", "quiet hours", (at - now).total_seconds(), hold="quiet", channel=way)

    async def _credits(self, mails: Sequence[Mail]) -> set[tuple[str, str]]:
        wanted = [
            (mail.row.conversation, mail.letter.subscription)
            for mail in mails
            if mail.letter is not None and mail.letter.subscription
        ]
        return await credit.open_ones(self._db, wanted) if wanted else set()

    async def _second_choice(self, mail: Mail, open_credits: set[tuple[str, str]]) -> Result | None:
        letter, following = mail.letter, mail.recipient.following
        if letter is not None and (mail.row.conversation, letter.subscription) in open_credits:
            mail.channel, mail.template = SUBSCRIPTION, letter.subscription
            return None
        if letter is not None and letter.template and following:
            mail.channel, mail.template = TEMPLATE, letter.template
            return None
        await self.forget(mail)
        if not following:
            return Result(mail.row, "failed", "unfollowed")
        if mail.is_reply:
            return Result(mail.row, "held", "no window", WINDOW_AGAIN_S)
        return Result(mail.row, "held", "no channel", hold="kept")


def _template(mail: Mail) -> str:
    if mail.letter is None:
        return ""
    return {SUBSCRIPTION: mail.letter.subscription, TEMPLATE: mail.letter.template}.get(mail.channel, "")
