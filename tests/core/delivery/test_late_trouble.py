"""Late replies beside attempts, stores that go away and processes that die: nothing is said twice."""

import asyncio
from datetime import timedelta

import pytest

from core.chat.inbox import Done, Inbox, Run, Who, Window
from core.chat.replies import Said
from core.delivery.sender import Outcome, PerhapsSent, Sent, SurelyNotSent
from core.errors import StoreGoneError
from tests.core.delivery.town import HERE, THERE, Town, message
from tests.support.purging import purged


class KilledError(BaseException):
    """The process dies here."""


# --- attempts of WeChat's and messages of ours ---


async def _run_that_nobody_waits_for(town: Town) -> str:
    """A message whose attempt was dropped before its reply was there; its reply is due at once."""
    event_id = message()
    run = await town.inbox.enter(event_id, Who.NEW, Window.MESSAGE)
    assert isinstance(run, Run)
    assert await town.inbox.leave(event_id, 1)
    assert (await town.inbox.commit(run, b"session", b"reply")).late_ms is not None
    await town.owed.send_later(event_id, Said(type="text", at=0, text="请选科室"), 0)
    return event_id


async def test_a_reply_that_an_attempt_collected_is_not_sent(town: Town) -> None:
    event_id = await _run_that_nobody_waits_for(town)
    assert await town.inbox.enter(event_id) == Done(b"reply", owed=True)
    await town.late.send_due()
    assert await town.row(event_id) == ("cancelled", "answered")
    assert town.post.asked == 0


async def test_a_reply_that_was_sent_is_not_collected_by_an_attempt(town: Town) -> None:
    event_id = await _run_that_nobody_waits_for(town)
    assert await town.late.send_due() == 1
    assert await town.inbox.enter(event_id) == Done(None)


async def test_a_reply_that_may_be_out_is_not_collected_either(town: Town) -> None:
    event_id = await _run_that_nobody_waits_for(town)
    collected: list[object] = []

    async def meanwhile() -> None:
        collected.append(await town.inbox.enter(event_id))

    town.post.on_send = meanwhile
    town.post.answers = [PerhapsSent("no answer")]
    await town.late.send_due()
    assert collected == [Done(None)]


@pytest.mark.parametrize(
    ("outcome", "shown"), [(Sent(), True), (PerhapsSent("no answer"), False), (SurelyNotSent("no", 9), False)]
)
async def test_a_question_counts_as_shown_when_its_late_reply_was_accepted(
    town: Town, outcome: Outcome, shown: bool
) -> None:
    await _run_that_nobody_waits_for(town)
    town.post.answers = [outcome]
    await town.late.send_due()
    following = await town.inbox.enter(message())
    assert isinstance(following, Run)
    assert following.shown is shown


# --- stores and processes that die ---


class Deaf(Inbox):
    """An inbox whose Redis is gone while `deaf`."""

    deaf = True

    async def take(self, event_id: str) -> bool:
        if self.deaf:
            raise StoreGoneError("Redis")
        return await super().take(event_id)


async def test_while_redis_is_gone_nothing_goes_out_and_nothing_is_lost(town: Town) -> None:
    inbox = Deaf(town.redis)
    late = town.worker(inbox=inbox)
    event_id = await town.owes("预约成功")
    assert await late.send_due() == 0
    assert await town.row(event_id) == ("queued", "Redis gone")
    inbox.deaf = False
    await town.passes(timedelta(seconds=2))
    assert await late.send_due() == 1
    assert town.heard == ["预约成功"]


async def test_a_way_that_takes_too_long_is_not_gone_to_its_end(town: Town) -> None:
    """With hardly any lease left, somebody else may already be sending it."""

    async def slowly(_conversation: str) -> None:
        await town.passes(timedelta(seconds=25))

    town.post.on_way = slowly
    await town.owes("预约成功")
    assert await town.late.send_due() == 0
    assert town.post.asked == 0
    town.post.on_way = None
    await town.passes(timedelta(seconds=25))
    assert await town.worker().send_due() == 1
    assert town.heard == ["预约成功"]


async def test_what_a_killed_process_was_sending_is_unknown(town: Town) -> None:
    async def dies() -> None:
        raise KilledError

    town.post.on_send = dies
    event_id = await town.owes()
    with pytest.raises(KilledError):
        await town.late.send_due()
    town.post.on_send = None
    survivor = town.worker()
    await survivor.send_due()
    assert (await town.row(event_id))[0] == "sending", "its lease has not ended"
    await town.passes(timedelta(seconds=31))
    await survivor.send_due()
    assert (await town.row(event_id))[0] == "unknown"
    assert town.heard == []


async def test_a_failure_beside_it_leaves_no_send_running_behind(town: Town) -> None:
    """The sender of the next second would meet it; whoever stops the process would cut it off."""
    failed, may_go_on = asyncio.Event(), asyncio.Event()

    async def one_fails() -> None:
        if town.post.asked == 1:
            await may_go_on.wait()
        else:
            failed.set()
            raise KilledError

    town.post.on_send = one_fails
    await town.owes("预约成功")
    await town.owes("请选科室", THERE)
    sending = asyncio.create_task(town.late.send_due())
    await failed.wait()
    assert not sending.done()
    may_go_on.set()
    with pytest.raises(KilledError):
        await sending
    assert town.heard == ["预约成功"]
    town.post.on_send = None
    await town.late.send_due()
    assert await town.db.fetchval("SELECT state FROM outbox WHERE conversation = $1", HERE) == "accepted"


async def test_what_a_killed_process_had_only_taken_is_sent_by_another(town: Town) -> None:
    async def dies(_conversation: str) -> None:
        raise KilledError

    town.post.on_way = dies
    await town.owes("预约成功")
    with pytest.raises(KilledError):
        await town.late.send_due()
    town.post.on_way = None
    await town.passes(timedelta(seconds=31))
    assert await town.worker().send_due() == 1
    assert town.heard == ["预约成功"]


async def test_several_processes_say_everything_once_and_in_order(town: Town) -> None:
    for number in range(10):
        await town.owes(f"第{number}条")
        await town.owes(f"第{number}条", THERE)
    senders = [town.worker() for _ in range(4)]
    async with asyncio.timeout(30):
        while len(town.heard) + len(town.post.phones[THERE].heard) < 20:
            await asyncio.gather(*(sender.send_due() for sender in senders))
    for phone in town.post.phones.values():
        assert phone.heard == [f"第{number}条" for number in range(10)]


async def test_settled_messages_are_forgotten_after_a_month(town: Town) -> None:
    event_id = await town.owes()
    await town.late.send_due()
    await town.db.execute("UPDATE outbox SET settled_at = now() - interval '29 days'")
    await purged(town.db, "outbox")
    assert (await town.row(event_id))[0] == "accepted"
    await town.db.execute("UPDATE outbox SET settled_at = now() - interval '31 days'")
    await purged(town.db, "outbox")
    assert await town.db.fetchval("SELECT count(*) FROM outbox") == 0
