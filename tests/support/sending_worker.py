"""A worker of its own for the kill trial: all lanes, a short lease, and on demand a mistake to be caught."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from secrets import token_hex

sys.path.insert(0, str(Path(__file__).parents[2]))

from clients import wechat_outcome
from clients.wechat import Credentials, Platform, Shelf, WeChatSender, open_http
from commands.terminal import say
from core import log
from core.chat.durations import Durations
from core.chat.inbox import Inbox
from core.chat.words import Words
from core.clock import SystemClock
from core.delivery import credit, rows, verdicts
from core.delivery.kinds import Kinds
from core.delivery.mail import Mail
from core.delivery.outgoing import Office, Outgoing
from core.delivery.rates import Limits
from core.delivery.rows import Result, Start
from core.delivery.sender import Notice, Outcome
from core.seal import Seal
from core.stores.boot import open_database, open_redis
from core.stores.database import Database, Transaction
from services.citizens.service import Citizens

ROOT = Path(__file__).parents[2]
NOTICES = ROOT / "tests/core/delivery/trial_notices"
LEASE = timedelta(seconds=3)
TIMEOUT_S = 0.8
CITY = Credentials("city", "wx0a0a0a0a0a0a0a0a", "secret-of-the-trial")
PER_SECOND = 5000


def ring() -> Seal:
    """The keys of the trial."""
    return Seal({1: b"\x01" * 32}, current=1, index_key=b"\x03" * 32)


async def send_again(db: Database) -> int:
    """A mistake: whatever a dead worker had in hand is simply sent again."""
    await db.execute(
        """
        UPDATE outbox SET state = 'queued', holder = NULL, lease_until = NULL, attempted_at = NULL
        WHERE state = 'sending' AND lease_until < now()
        """
    )
    return 0


_begin = rows.begin


async def begin_unnoticed(tx: Transaction, holder: str, starts: Sequence[Start], left: timedelta) -> set[int]:
    """A mistake: nobody can see that a request has left before it is over."""
    begun = await _begin(tx, holder, starts, left)
    await tx.execute("UPDATE outbox SET attempted_at = NULL WHERE id = ANY($1)", list(begun))
    return begun


def book_as_failed(mail: Mail, reason: str) -> Result:
    """A mistake: a request that broke is taken for one that never arrived."""
    return Result(mail.row, "failed", reason, channel=mail.channel)


async def forget(_db: Database) -> None:
    """A mistake: nobody looks after a dead worker's credits."""


class Nameless(WeChatSender):
    """A mistake: a template message that is repeated has another name."""

    async def send_template(self, account: str, openid: str, notice: Notice) -> Outcome:
        return await super().send_template(account, openid, replace(notice, client_id=token_hex(8)))


def hasten() -> None:
    """A minute of WeChat's, and the time until midnight, are over in a second."""
    vars(wechat_outcome)["_MINUTE_S"] = 1.0
    vars(wechat_outcome)["_until_tomorrow"] = lambda _now: 1.0


def err(mistake: str) -> type[WeChatSender]:
    """Make one mistake, or none."""
    if mistake == "sends again":
        vars(rows)["recover"] = send_again
    elif mistake == "books as failed":
        vars(verdicts)["_perhaps"] = book_as_failed
    elif mistake == "gives credits back":
        vars(credit)["spend"] = credit.give_back
    elif mistake == "forgets credits":
        vars(credit)["settle"] = forget
    elif mistake == "begins unnoticed":
        vars(rows)["begin"] = begin_unnoticed
    return Nameless if mistake == "nameless" else WeChatSender


async def work(redis_url: str, database_url: str, wechat_url: str, mistake: str) -> None:
    """Send until killed; the holders of the lanes are told first, for who counts what they had in hand."""
    log.configure()  # stderr: whoever reads the holders from stdout reads nothing more
    redis, db = await open_redis(redis_url), await open_database(database_url)
    clock, words, keys = SystemClock(), Words(ROOT / "templates"), ring()
    async with open_http() as http:
        citizens = Citizens(db, keys)
        office = Office(
            db=db,
            redis=redis,
            seal=keys,
            clock=clock,
            kinds=Kinds(NOTICES, words),
            words=words,
            inbox=Inbox(redis, Durations(flood=0)),
            city=citizens,
            sender=err(mistake)(Platform(http, wechat_url, clock, Shelf(redis, keys), TIMEOUT_S), [CITY]),
            limits=Limits(per_second=PER_SECOND),
        )
        outgoing = Outgoing(office, lease=LEASE)
        say(json.dumps([each._holder for each in outgoing._lanes.values()]))
        await outgoing.run()


if __name__ == "__main__":
    hasten()
    asyncio.run(work(*sys.argv[1:5]))
