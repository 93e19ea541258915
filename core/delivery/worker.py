"""Sends messages of ours, lane by lane: claim, open, choose a way, begin, request, settle."""

import asyncio
import secrets
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from core.delivery import credit, guards, prompts, rows
from core.delivery.channels import Channels
from core.delivery.lanes import SUB_BATCH, Lane
from core.delivery.mail import SUBSCRIPTION, Mail, Recipients, request
from core.delivery.opening import Opener, put_back
from core.delivery.replies import Replies
from core.delivery.rows import Result, Start
from core.delivery.sender import Sender, Sent
from core.delivery.verdicts import Verdict, verdict
from core.errors import StoreGoneError
from core.seal import Seal
from core.stores.database import Database, Transaction

LEASE = timedelta(seconds=30)  # a third of it must be left when a request starts
_STALE_S = 0.5  # a request that starts so long after it was noted looks at its guards again

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

    async def send_due(self) -> int:
        """Send everything that is due now; how many requests left us.

        While the requests of one sub-batch are under way the next is made ready, and one transaction settles
        the one and begins the other: never are more than `SUB_BATCH` of unknown fate.
        """
        sent = 0
        load = await self._prepared(_Load())
        while load or self._unsettled:
            begun = await self._turn_over(load)
            following = asyncio.ensure_future(self._prepared(load))
            try:
                sent += await self._request(begun)
            finally:
                load = await following
        return sent

    def end(self) -> None:
        """Begin no further request."""
        self._ending = True

    async def _prepared(self, before: _Load) -> _Load:
        """Make a sub-batch ready: those that had to wait a moment, then what is due."""
        if before.wait_s:
            await asyncio.sleep(before.wait_s)
        room = 0 if self._ending else SUB_BATCH - len(before.soon)
        opened = await self._opener.open(
            await rows.claim(self._db, self._holder, self._lane, self._lease, room) if room else []
        )
        if self._ending:
            back = [Result(mail.row, "queued", "ending", 0, channel=mail.row.channel) for mail in before.soon]
            return _Load(results=back)
        try:
            mails, kept = await self._means.channels.choose(opened.mails)
            admitted = await self._means.channels.admit([*before.soon, *mails])
        except StoreGoneError as gone:
            back = [put_back(mail.row, gone) for mail in (*before.soon, *opened.mails)]
            return _Load(results=opened.results + back)
        results = opened.results + kept + admitted.results
        return _Load(admitted.now, admitted.soon, admitted.wait_s, results)

    async def _turn_over(self, load: _Load) -> list[Mail]:
        """Settle the last sub-batch and begin the next in one step; those whose requests start now."""
        done = self._unsettled
        async with self._db.transaction() as tx:
            await self._settle(tx, done, load.results)
            starts = await self._with_credit(tx, load.mails)
            begun = await rows.begin(tx, self._holder, starts, self._lease / 3) if starts else set()
        self._unsettled = []
        started = []
        for mail in load.mails:
            if mail.row.id in begun:
                started.append(mail)
            else:
                await self._means.channels.forget(mail)
        return started

    async def _settle(self, tx: Transaction, done: Sequence[_Done], results: Sequence[Result]) -> None:
        await rows.settle(tx, self._holder, [*(each.verdict.result for each in done), *results])
        left: list[int] = []
        kept: list[int] = []
        for each in done:
            row, letter = each.mail.row, each.mail.letter
            if each.mail.channel == SUBSCRIPTION:
                (left if each.verdict.left_us else kept).append(row.id)
            if each.verdict.voids_credit:
                await credit.void(tx, row.conversation, each.mail.template)
            if each.verdict.result.state == "accepted" and letter is not None:
                await prompts.leave(tx, row.id, row.conversation, row.kind, letter, row.guards)
        if left:
            await credit.spend(tx, left)
        if kept:
            await credit.give_back(tx, kept)

    async def _with_credit(self, tx: Transaction, mails: Sequence[Mail]) -> list[Start]:
        """The messages that may begin: who finds no credit any more looks for another way."""
        starts, without = [], []
        for mail in mails:
            row = mail.row
            if mail.channel != SUBSCRIPTION or await credit.take(tx, row.id, row.conversation, mail.template):
                starts.append(Start(row, mail.channel, mail.template))
            else:
                without.append(Result(row, "queued", "no credit"))
        await rows.settle(tx, self._holder, without)
        return starts

    async def _request(self, mails: Sequence[Mail]) -> int:
        """Make the requests of a sub-batch at once; how many left us."""
        noted_at = asyncio.get_running_loop().time()
        ended = await asyncio.gather(
            *(self._request_one(mail, noted_at) for mail in mails), return_exceptions=True
        )
        for each in ended:  # all are through, and what became of them will be written down
            if isinstance(each, BaseException):
                raise each
        return sum(each.verdict.left_us for each in self._unsettled)

    async def _request_one(self, mail: Mail, noted_at: float) -> None:
        time_of = asyncio.get_running_loop().time
        if time_of() - noted_at > _STALE_S and not await guards.hold(self._db, mail.row.guards):
            result = Result(mail.row, "unknown" if mail.row.perhaps else "cancelled", "changed")
            self._unsettled.append(_Done(mail, Verdict(result, left_us=False)))
            return
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
            await channels.forget(mail)
        if judged.stop is not None:
            await channels.rates.stop(mail.recipient.account, judged.stop.api, judged.stop.for_s)

    async def _in_redis(self, note: Awaitable[object]) -> None:
        """Note something there; without it a question is repeated, or WeChat refuses one message of ours."""
        try:
            await note
        except StoreGoneError:
            _log.warning("not_noted")
