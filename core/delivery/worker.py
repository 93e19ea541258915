"""Sends messages of ours, lane by lane: claim, open, choose a way, begin, request, settle."""

import asyncio
import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from core.delivery import credit, prompts, rows
from core.delivery.channels import Channels
from core.delivery.lanes import SUB_BATCH, Lane
from core.delivery.mail import SUBSCRIPTION, Mail, Recipients, request
from core.delivery.opening import Opener, put_back
from core.delivery.replies import Replies
from core.delivery.rows import Result, Row, Start
from core.delivery.sender import Sender, Sent
from core.delivery.verdicts import Verdict, unasked, verdict
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction

LEASE = timedelta(seconds=30)  # a third of it must be left when a request starts
_STALE_S = 0.5  # a request that starts so long after it was noted looks at its row again

_log = structlog.get_logger("outbox")


@dataclass(frozen=True, slots=True)
class Means:
    """What sending needs."""

    db: Database
    seal: Seal
    channels: Channels
    recipients: Recipients
    sender: Sender
    replies: Replies


@dataclass(slots=True)
class _Load:
    """A sub-batch that is made ready: what may start, what waits a moment, what is decided already."""

    mails: list[Mail] = field(default_factory=list)
    soon: list[Mail] = field(default_factory=list)
    wait_s: float = 0.0
    results: list[Result] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.mails or self.soon or self.results)


@dataclass(frozen=True, slots=True)
class _Done:
    """A message whose request is over."""

    mail: Mail
    verdict: Verdict


class LaneWorker:
    """One lane of one process; any number of processes share the rows."""

    def __init__(self, means: Means, lane: Lane, *, lease: timedelta = LEASE) -> None:
        self._means = means
        self._db = means.db
        self._lane = lane
        self._lease = lease
        self._holder = secrets.token_hex(8)
        self._opener = Opener(means.db, means.seal, means.recipients, means.replies)
        self._ending = False
        self._unsettled: list[_Done] = []  # what we know and the database does not yet
        self._load = _Load()  # what is ready; it stays so while the database is away

    async def send_due(self) -> int:
        """Send everything that is due now; how many requests left us.

        While the requests of one sub-batch are under way the next is made ready, and one transaction settles
        the one and begins the other: never are more than `SUB_BATCH` of unknown fate.
        """
        sent = 0
        if not self._load:
            self._load = await self._prepared(_Load())
        while self._load or self._unsettled:
            noted_at = asyncio.get_running_loop().time()  # before the commit: we may sleep right after it
            begun = await self._turn_over(self._load)
            following = asyncio.ensure_future(self._prepared(self._load))
            self._load = _Load()
            try:
                sent += await self._request(await self._still_ours(begun, noted_at))
            finally:
                self._load = await following
        return sent

    def end(self) -> None:
        """Begin no further request."""
        self._ending = True

    async def _prepared(self, before: _Load) -> _Load:
        """Make a sub-batch ready: those that had to wait a moment, then what is due."""
        if before.wait_s:
            await asyncio.sleep(before.wait_s)
        if self._ending:
            back = [Result(mail.row, "queued", "ending", 0, channel=mail.row.channel) for mail in before.soon]
            return _Load(results=back)
        claimed: list[Row] = []
        try:
            claimed = await self._claim(before.soon)
            opened = await self._opener.open(claimed)
            mails, kept = await self._means.channels.choose(opened.mails)
            ready, unready = await self._ready([*before.soon, *mails])
            admitted = await self._means.channels.admit(ready)
        except StoreGoneError as gone:
            in_hand = [*(mail.row for mail in before.soon), *claimed]
            if not in_hand:
                raise
            return _Load(results=[put_back(row, gone) for row in in_hand])
        tried = [replace(each.verdict.result, tried=True) for each in unready]
        results = opened.results + kept + tried + admitted.results
        return _Load(admitted.now, admitted.soon, admitted.wait_s, results)

    async def _claim(self, waiting: Sequence[Mail]) -> list[Row]:
        """Take what is due beside those that wait a moment; not of their accounts, which are too fast."""
        too_fast = {mail.recipient.account for mail in waiting}
        room = SUB_BATCH - len(waiting)
        return await rows.claim(self._db, self._holder, self._lane, self._lease, room, too_fast)

    async def _ready(self, mails: Sequence[Mail]) -> tuple[list[Mail], list[_Done]]:
        """Let requests wait for nothing once they are begun; what becomes of those that would."""
        accounts = list(dict.fromkeys(mail.recipient.account for mail in mails))
        told = await asyncio.gather(*map(self._means.sender.ready, accounts))
        lacking = {account: no for account, no in zip(accounts, told, strict=True) if no is not None}
        ready = [mail for mail in mails if mail.recipient.account not in lacking]
        unready = [
            _Done(mail, verdict(mail, lacking[mail.recipient.account]))
            for mail in mails
            if mail.recipient.account in lacking
        ]
        for account, no in lacking.items():
            _log.warning("not_ready", account=account, outcome=type(no).__name__)
        await asyncio.gather(*(self._in_redis(self._note(each.mail, each.verdict, 0)) for each in unready))
        return ready, unready

    async def _turn_over(self, load: _Load) -> list[Mail]:
        """Settle the last sub-batch and begin the next in one step; those whose requests start now."""
        done = self._unsettled
        async with self._db.transaction() as tx:
            await self._settle(tx, done, load.results)
            starts = [Start(mail.row, mail.channel, mail.template) for mail in load.mails]
            begun = await rows.begin(tx, self._holder, starts, self._lease / 3) if starts else set()
            begun -= await self._without_credit(tx, [mail for mail in load.mails if mail.row.id in begun])
            started = [mail for mail in load.mails if mail.row.id in begun]
            await prompts.note(tx, started)
        self._unsettled = []
        left = [mail for mail in load.mails if mail.row.id not in begun]
        await asyncio.gather(*map(self._means.channels.forget, left))
        return started

    async def _settle(self, tx: Transaction, done: Sequence[_Done], results: Sequence[Result]) -> None:
        await rows.settle(tx, self._holder, [*(each.verdict.result for each in done), *results])
        left: list[int] = []
        kept: list[int] = []
        # In one order everywhere: two workers that settle what went to the same citizens never deadlock.
        for each in sorted(done, key=lambda each: each.mail.row.conversation):
            row = each.mail.row
            if each.mail.channel == SUBSCRIPTION:
                (left if each.verdict.left_us else kept).append(row.id)
            if each.verdict.voids_credit:
                await credit.void(tx, row.conversation, each.mail.template)
        await prompts.arrived(
            tx, [each.mail.row.id for each in done if each.verdict.result.state == "accepted"]
        )
        if left:
            await credit.spend(tx, left)
        if kept:
            await credit.give_back(tx, kept)

    async def _without_credit(self, tx: Transaction, begun: Sequence[Mail]) -> set[int]:
        """Give a credit to each that needs one; who finds none any more looks for another way."""
        without = [
            Result(mail.row, "queued", "no credit")
            for mail in begun
            if mail.channel == SUBSCRIPTION
            and not await credit.take(tx, mail.row.id, mail.row.conversation, mail.template)
        ]
        return await rows.settle(tx, self._holder, without)

    async def _still_ours(self, begun: list[Mail], noted_at: float) -> list[Mail]:
        """Those whose requests may leave now; their rows are looked at again if some time has passed.

        A process may sleep, or be busy, for any time between two steps.
        """
        time_of = asyncio.get_running_loop().time
        while begun:
            begun, unready = await self._ready(begun)
            self._unsettled += unready
            if time_of() - noted_at <= _STALE_S:
                break
            noted_at = time_of()
            begun = await self._looked_at(begun)
        return begun

    async def _looked_at(self, begun: list[Mail]) -> list[Mail]:
        """Those that are ours even now, and have not changed."""
        try:
            found = await rows.still(self._db, self._holder, [mail.row.id for mail in begun], self._lease / 3)
        except StoreGoneError as gone:
            await self._let_go([(mail, put_back(mail.row, gone)) for mail in begun])
            return []
        # Of rows that others took over meanwhile nothing will be written down.
        late = [
            (mail, Result(mail.row, "cancelled", "changed"))
            if mail.row.id in found
            else (mail, Result(mail.row, "queued", "begun too late", channel=mail.row.channel))
            for mail in begun
            if not found.get(mail.row.id)
        ]
        await self._let_go(late)
        return [mail for mail in begun if found.get(mail.row.id)]

    async def _let_go(self, unsent: Sequence[tuple[Mail, Result]]) -> None:
        """Note what becomes of messages whose requests will not leave."""
        self._unsettled += [_Done(mail, unasked(result)) for mail, result in unsent]
        await asyncio.gather(*(self._means.channels.forget(mail) for mail, _ in unsent))

    async def _request(self, mails: Sequence[Mail]) -> int:
        """Make the requests of a sub-batch at once; how many left us."""
        ended = await asyncio.gather(*map(self._request_one, mails), return_exceptions=True)
        for each in ended:  # all are through, and what became of them will be written down
            if isinstance(each, BaseException):
                raise each
        return sum(each.verdict.left_us for each in self._unsettled)

    async def _request_one(self, mail: Mail) -> None:
        time_of = asyncio.get_running_loop().time
        asked = time_of()
        outcome = await request(self._means.sender, mail)
        judged = verdict(mail, outcome)
        self._unsettled.append(_Done(mail, judged))
        log = _log.info if isinstance(outcome, Sent) else _log.warning
        if self._lane is not Lane.BULK or not isinstance(outcome, Sent):
            log("sent", key=mail.row.key, way=mail.channel, outcome=type(outcome).__name__)
        await self._in_redis(self._note(mail, judged, time_of() - asked))
        if judged.loses_recipient:
            await self._means.recipients.lost(mail.row.conversation)

    async def _note(self, mail: Mail, judged: Verdict, asked_s: float) -> None:
        """Tell the counters what became of a request that was made `asked_s` ago."""
        channels = self._means.channels
        if judged.result.state == "accepted" and mail.is_reply:
            await self._means.replies.has_shown(mail.row)
        if judged.closes_window:
            await channels.close(mail, asked_s)
        if not judged.left_us:
            await channels.forget(mail, asked=judged.asked)
        if judged.stop is not None:
            await channels.rates.stop(mail.recipient.account, judged.stop.api, judged.stop.for_s)

    async def _in_redis(self, note: Awaitable[object]) -> None:
        """Note something there; without it a question is repeated, or WeChat refuses one message of ours."""
        try:
            await note
        except StoreGoneError:
            _log.warning("not_noted")
