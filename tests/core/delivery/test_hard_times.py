"""What happens between two steps of a worker: stores that go, objects that change, a process that sleeps."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.clock import CITY_ZONE
from core.delivery import credit, receipts, rows
from core.delivery.credit import Credit
from core.delivery.lanes import SUB_BATCH, Lane
from core.delivery.rates import Limits
from core.delivery.receipts import Fate
from core.delivery.sender import PerhapsSent, Policy, Refused, Sent, SurelyNotSent, Unknown
from core.errors import StoreGoneError
from core.stores.database import Database, Transaction
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, Phone
from tests.support.waiting import until

TEMPLATE, SUBSCRIPTION = "[T-visit]", "(S-visit)"
LEASE_OVER = timedelta(seconds=31)
RIVER = f"river:{'1' * 32}"
_IN_HAND, _NOTED = "SELECT true FROM outbox WHERE state = 'sending'", "attempted_at IS NOT NULL LIMIT 1"
Step = Callable[[], Awaitable[None]]


class Eventful(Database):
    """A database where something happens around the transaction in which requests begin."""

    before: Step | None = None
    after: Step | None = None

    @classmethod
    def like(cls, db: Database) -> "Eventful":
        return cls(db._pool, db._timeout_s)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        if (happens := self.before) is not None and await self.fetchval(_IN_HAND):
            self.before = None
            await happens()
        async with super().transaction() as tx:
            yield tx
        if (happens := self.after) is not None and await self.fetchval(f"{_IN_HAND} AND {_NOTED}"):
            self.after = None
            await happens()


async def gone() -> None:
    raise StoreGoneError("PostgreSQL")


@pytest.fixture
def db(bureau: Bureau) -> Eventful:
    """The bureau's workers from now on use it."""
    found = Eventful.like(bureau.db)
    bureau.db = found
    bureau.out = bureau.worker()
    return found


# --- a process that sleeps ---


async def test_who_slept_before_its_requests_does_not_send_what_others_took_over(
    bureau: Bureau, db: Eventful
) -> None:
    await bureau.queue(bureau.notice("visit"))
    others, us = bureau.worker(), bureau.out

    async def sleeps() -> None:
        wakes = asyncio.get_running_loop().time() + 0.6
        await bureau.passes(LEASE_OVER)
        await others.send_due()
        await until(lambda: asyncio.get_running_loop().time() > wakes, "it wakes")

    db.after = sleeps
    await us.send_due()
    assert bureau.heard == [TEMPLATE]
    assert await bureau.state() == "accepted"


async def test_who_slept_alone_sends_it_all_the_same(bureau: Bureau, db: Eventful) -> None:
    await bureau.queue(bureau.notice("visit"))

    async def sleeps() -> None:
        wakes = asyncio.get_running_loop().time() + 0.6
        await until(lambda: asyncio.get_running_loop().time() > wakes, "it wakes")

    db.after = sleeps
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


async def test_who_slept_and_cannot_look_whether_it_still_may_does_not_send_yet(
    bureau: Bureau, db: Eventful, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bureau.queue(bureau.notice("visit"))
    found = rows.still

    async def once(*_: object) -> dict[int, bool]:
        monkeypatch.setattr(rows, "still", found)
        raise StoreGoneError("PostgreSQL")

    async def sleeps() -> None:
        wakes = asyncio.get_running_loop().time() + 0.6
        await until(lambda: asyncio.get_running_loop().time() > wakes, "it wakes")
        monkeypatch.setattr(rows, "still", once)

    db.after = sleeps
    await bureau.out.send_due()
    assert (bureau.heard, await bureau.state()) == ([], "queued")
    await bureau.passes(timedelta(seconds=2))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE], "nobody asked WeChat for it, so its fate was known"


@pytest.mark.parametrize(
    ("meanwhile", "state"),
    [
        ("UPDATE outbox SET valid_until = now()", ["expired"]),
        ("UPDATE jobs SET state = 'stopped'", ["queued", "queued"]),
        ("SELECT 1", ["accepted", "accepted"]),  # a control
    ],
)
async def test_who_slept_does_not_send_what_is_worth_nothing_any_more_nor_what_was_stopped(
    bureau: Bureau, db: Eventful, meanwhile: str, state: list[str]
) -> None:
    if "jobs" in meanwhile or meanwhile == "SELECT 1":
        await bureau.job()
    else:
        await bureau.queue(bureau.notice("visit"))

    async def sleeps() -> None:
        wakes = asyncio.get_running_loop().time() + 0.6
        await db.execute(meanwhile)
        await until(lambda: asyncio.get_running_loop().time() > wakes, "it wakes")

    db.after = sleeps
    await bureau.out.send_due()
    await bureau.out.look_after()
    assert [each for each, _ in await bureau.states()] == state
    assert len(bureau.heard) == state.count("accepted") / 2


# --- a store that goes ---


async def test_what_was_ready_when_postgresql_went_leaves_when_it_is_back(
    bureau: Bureau, db: Eventful
) -> None:
    await bureau.queue(bureau.notice("storm"))
    db.before = gone
    with pytest.raises(StoreGoneError):
        await bureau.out.send_due()
    assert await bureau.out.send_due() == 1, "it need not wait until a lease is over"
    assert bureau.heard == ["[T-storm]"]


async def test_a_commit_nobody_heard_of_is_asked_again(bureau: Bureau, db: Eventful) -> None:
    await bureau.queue(bureau.notice("note"))
    await bureau.opens()
    db.after = gone
    with pytest.raises(StoreGoneError):
        await bureau.out.send_due()
    await bureau.out.send_due()
    assert (len(bureau.heard), await bureau.state()) == (1, "accepted"), "else it would be unknown"


async def test_postgresql_going_while_recipients_are_looked_up_costs_a_second(
    bureau: Bureau, db: Eventful
) -> None:
    async def on_way(_: str) -> None:
        bureau.post.on_way = None
        raise StoreGoneError("PostgreSQL")

    await bureau.queue(bureau.notice("storm"))
    bureau.post.on_way = on_way
    await bureau.out.send_due()
    assert await bureau.state() == "queued"
    await bureau.passes(timedelta(seconds=2))
    assert await bureau.out.send_due() == 1


# --- what is counted and not used ---


async def test_a_platform_that_cannot_be_reached_costs_nothing_of_a_days_quota(bureau: Bureau) -> None:
    bureau.limits = Limits(quotas={"city": {"template": 3}})
    bureau.out = bureau.worker()
    await bureau.queue(bureau.notice("storm"))
    bureau.post.answers = [SurelyNotSent("refused", 5.0)] * 6
    for _ in range(6):
        await bureau.out.send_due()
        await bureau.passes(timedelta(seconds=6))
    assert bureau.post.asked == 6
    await bureau.out.send_due()
    assert bureau.heard == ["[T-storm]"]


async def test_control_what_wechat_answered_counts(bureau: Bureau) -> None:
    bureau.limits = Limits(quotas={"city": {"template": 3}})
    bureau.out = bureau.worker()
    for _ in range(5):
        await bureau.queue(bureau.notice("storm"))
    bureau.post.answers = [Refused(Policy.CONTENT, 45002, "too long")] * 5
    await bureau.out.send_due()
    assert bureau.post.asked == 3


async def test_a_credit_is_not_lost_with_a_notice_that_changed_at_the_last_moment(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    changing = replace(bureau.notice("visit"), guards=("booking:1",))
    await bureau.queue(changing)

    async def on_way(_: str) -> None:
        bureau.post.on_way = None
        await bureau.bump("booking:1")

    bureau.post.on_way = on_way
    await bureau.out.send_due()
    assert await bureau.state() == "cancelled"
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION]


async def test_a_credit_wechat_does_not_know_is_void_whatever_its_clock_says(bureau: Bureau) -> None:
    ahead = datetime.now(CITY_ZONE) + timedelta(minutes=4)
    await credit.add(bureau.db, [Credit("e", 0, HERE, "S-visit", False, ahead)])
    bureau.post.answers = [Refused(Policy.UNWILLING, 43101, "user refuse")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert (bureau.post.asked, bureau.heard) == (2, [TEMPLATE]), "it is not asked for again and again"


async def test_only_what_was_asked_counts_as_a_try_of_an_unknown_code(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("storm"))
    await bureau.out._lanes[Lane.URGENT]._means.channels.rates.stop("city", "template", 3_000)
    for _ in range(6):
        await bureau.out.send_due()
        await bureau.db.execute("UPDATE outbox SET not_before = now()")
    await bureau.redis.client.flushdb()
    bureau.post.answers = [Unknown(99, "what?")]
    await bureau.out.send_due()
    assert await bureau.state() == "queued", "it may be tried four times more"


# --- one bad thing among good ones ---


async def test_what_perhaps_arrived_is_not_denied_when_its_citizen_is_gone(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("visit"))
    bureau.post.answers = [PerhapsSent("cut")]
    await bureau.out.send_due()
    del bureau.post.phones[HERE]
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert await bureau.states() == [("unknown", "unknown_citizen")]


async def test_an_account_that_is_too_fast_does_not_hold_back_another(bureau: Bureau) -> None:
    bureau.post.phones[RIVER] = Phone("river", "o-river")
    bureau.limits = Limits(per_second=32)
    bureau.out = bureau.worker()
    await bureau.opens(conversation=RIVER)
    for _ in range(130):
        await bureau.queue(bureau.notice("storm"))
    await bureau.queue(bureau.notice("storm", conversation=RIVER))
    before: list[int] = []

    async def on_send() -> None:
        if bureau.post.phones[RIVER].heard and not before:
            before.append(len(bureau.heard))

    bureau.post.on_send = on_send
    await bureau.out.send_due()
    assert before, "the river was served before the city was through"
    assert before[0] < 3 * SUB_BATCH


async def test_what_surely_was_not_sent_has_its_nine_minutes_still(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("visit"))
    bureau.post.answers = [SurelyNotSent("refused", 5.0), PerhapsSent("cut")]
    for _ in range(2):
        await bureau.out.send_due()
        await bureau.db.execute(
            "UPDATE outbox SET not_before = now(), first_at = first_at - interval '8 minutes'"
        )
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


async def test_a_notice_whose_recipients_take_long_to_be_found_holds_up_no_receipt(bureau: Bureau) -> None:
    asked, goes_on, find = asyncio.Event(), asyncio.Event(), bureau.post.page

    async def page(account: str, audience: str, after: str, limit: int) -> list[str]:
        asked.set()
        await goes_on.wait()
        return await find(account, audience, after, limit)

    bureau.post.answers = [Sent("77")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    bureau.post.page = page  # type: ignore[method-assign]
    await bureau.job()
    running = asyncio.create_task(bureau.out.run())
    await asked.wait()
    await receipts.note(bureau.db, [Fate("e", 0, HERE, "", "77", "", datetime.now(CITY_ZONE))])
    async with asyncio.timeout(15):
        while await bureau.db.fetchval("SELECT state FROM outbox WHERE id = 1") != "delivered":
            pass
    goes_on.set()
    bureau.out.end()
    await running
