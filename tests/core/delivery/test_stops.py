"""停止: notices of a purpose stop, wherever they stand; everything else goes on; 恢复 undoes it."""

from collections.abc import Sequence
from datetime import datetime

import pytest

from core.clock import CITY_ZONE
from core.delivery import jobs, stops
from core.schedule.reminders import Reminders
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, THERE
from tests.core.schedule.test_reminders import SOON, of, passes, remind

WANTED, UNWANTED = "note", "visit"


@pytest.fixture
def reminders(bureau: Bureau) -> Reminders:
    return Reminders(bureau.db, bureau.notices, bureau.clock)


async def stop(bureau: Bureau, purpose: str = "visits", where: Sequence[str] = (HERE,)) -> None:
    kinds = stops.kinds_of(bureau.kinds, purpose)
    async with bureau.db.transaction() as tx:
        await stops.stop(tx, where, purpose, kinds, datetime.now(CITY_ZONE))


async def resume(bureau: Bureau, purpose: str = "visits") -> None:
    async with bureau.db.transaction() as tx:
        await stops.resume(tx, [HERE], purpose)


async def test_what_is_stopped_is_not_queued_and_the_rest_is(bureau: Bureau) -> None:
    await stop(bureau)
    assert not await bureau.queue(bureau.notice(UNWANTED))
    assert await bureau.queue(bureau.notice(WANTED))
    assert await bureau.queue(bureau.notice(UNWANTED, conversation=THERE)), "others want it"


async def test_what_waits_is_taken_back(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice(UNWANTED))
    await bureau.queue(bureau.notice(WANTED))
    await stop(bureau)
    assert await bureau.states() == [("cancelled", "stopped"), ("queued", "")]
    assert await bureau.db.fetchval("SELECT count(*) FROM outbox WHERE sealed IS NOT NULL") == 1


async def test_it_comes_again_for_who_wants_it_again(bureau: Bureau) -> None:
    await stop(bureau)
    assert await stops.stopped(bureau.db, [HERE]) == ["visits"]
    await resume(bureau)
    assert await stops.stopped(bureau.db, [HERE]) == []
    assert await bureau.queue(bureau.notice(UNWANTED))


async def test_a_reminder_that_was_set_before_is_dropped_when_it_is_due(
    bureau: Bureau, reminders: Reminders
) -> None:
    await remind(bureau, reminders, of())
    await stop(bureau)
    await passes(bureau.db, SOON)
    assert await reminders.fire() == 0
    assert await bureau.states() == []


async def test_a_reminder_comes_if_it_is_wanted_again_in_time(bureau: Bureau, reminders: Reminders) -> None:
    await remind(bureau, reminders, of())
    await stop(bureau)
    await resume(bureau)
    await passes(bureau.db, SOON)
    assert await reminders.fire() == 1


async def test_of_a_notice_to_many_who_stopped_those_gets_none(bureau: Bureau) -> None:
    await stop(bureau, stops.NEWS)
    number = await bureau.job()
    await bureau.out.look_after()
    rows = await bureau.db.fetch("SELECT conversation FROM outbox WHERE job = $1", number)
    assert [row["conversation"] for row in rows] == [THERE]
    (job,) = await jobs.listed(bureau.db, None, 1)
    assert (job.rows, job.filled) == (1, True), "the others are counted without them"


async def test_of_a_notice_to_many_that_waits_theirs_is_taken_back(bureau: Bureau) -> None:
    await bureau.job()
    await bureau.out.look_after()
    await stop(bureau, stops.NEWS)
    rows = await bureau.db.fetch("SELECT conversation, state FROM outbox ORDER BY 1")
    assert {row["conversation"]: row["state"] for row in rows}[HERE] == "cancelled"
    assert {row["conversation"]: row["state"] for row in rows}[THERE] == "queued"


def stops_meanwhile(bureau: Bureau, purpose: str, *, resumes: bool = False) -> None:
    """A citizen stops a purpose while a worker has messages of it in hand; "" for none."""

    async def on_way(conversation: str) -> None:
        if purpose and conversation == HERE:
            await stop(bureau, purpose)
        if resumes:
            await resume(bureau, purpose)

    bureau.post.on_way = on_way


@pytest.mark.parametrize("purpose", ["visits", "news", ""], ids=["stopped", "another purpose", "control"])
async def test_what_a_worker_has_in_hand_is_cancelled_where_its_purpose_is_stopped(
    bureau: Bureau, purpose: str
) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice(UNWANTED))
    stops_meanwhile(bureau, purpose)
    await bureau.out.send_due()
    arrived = purpose != "visits"
    assert await bureau.states() == [("accepted", "") if arrived else ("cancelled", "changed")]
    assert len(bureau.heard) == arrived


async def test_wanted_again_at_once_what_was_in_hand_is_gone_all_the_same(bureau: Bureau) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice(UNWANTED))
    stops_meanwhile(bureau, "visits", resumes=True)
    await bureau.out.send_due()
    assert await bureau.states() == [("cancelled", "changed")]
    bureau.post.on_way = None
    assert await bureau.queue(bureau.notice(UNWANTED)), "what comes later is sent"
    await bureau.out.send_due()
    assert len(bureau.heard) == 1


@pytest.mark.parametrize("purpose", ["visits", ""], ids=["stopped", "control"])
async def test_a_reminder_in_hand_is_cancelled_too(
    bureau: Bureau, reminders: Reminders, purpose: str
) -> None:
    await bureau.opens()
    await remind(bureau, reminders, of())
    await passes(bureau.db, SOON)
    assert await reminders.fire() == 1
    stops_meanwhile(bureau, purpose)
    await bureau.out.send_due()
    assert await bureau.states() == [("cancelled", "changed") if purpose else ("accepted", "")]


@pytest.mark.parametrize("purpose", ["news", ""], ids=["stopped", "control"])
async def test_of_a_notice_to_many_in_hand_only_theirs_is_cancelled(bureau: Bureau, purpose: str) -> None:
    for conversation in (HERE, THERE):
        await bureau.opens(conversation=conversation)
    await bureau.job()
    await bureau.out.look_after()
    stops_meanwhile(bureau, purpose)
    await bureau.out.send_due()
    rows = await bureau.db.fetch("SELECT conversation, state FROM outbox")
    states = {row["conversation"]: row["state"] for row in rows}
    assert states == {HERE: "cancelled" if purpose else "accepted", THERE: "accepted"}


async def test_a_purpose_is_stopped_once_however_often_it_is(bureau: Bureau) -> None:
    await stop(bureau)
    await stop(bureau)
    assert await bureau.db.fetchval("SELECT count(*) FROM stops") == 1


def test_what_has_no_purpose_cannot_be_stopped(bureau: Bureau) -> None:
    assert stops.purposes(bureau.kinds) == ["news", "visits"]
