"""One notice to many: filled page by page, stopped and continued, counted, and sent to nobody twice."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from core.delivery import jobs
from core.delivery.backlog import backlog
from core.delivery.filling import Filling
from core.delivery.jobs import NoSuchJob
from core.delivery.lanes import Lane
from core.delivery.progress import progress
from core.delivery.rates import Limits
from core.delivery.sender import Outcome, Policy, Refused, Sent
from tests.core.delivery.bureau import Bureau, clock_at
from tests.core.delivery.town import Phone

MANY = 150


@pytest.fixture
async def full(bureau: Bureau) -> Bureau:
    """Many citizens, none of whom has written lately."""
    bureau.post.phones = {f"city:{number:032x}": Phone("city", f"o-{number:03}") for number in range(MANY)}
    return bureau


def heard(bureau: Bureau) -> list[int]:
    return [len(phone.heard) for phone in bureau.post.phones.values()]


async def test_everybody_gets_it_once(full: Bureau) -> None:
    number = await full.job()
    await full.out.send_due()
    await full.out.send_due()
    assert heard(full) == [1] * MANY
    await full.out.look_after()
    (job,) = await jobs.listed(full.db, None, 10)
    assert (job.id, job.state, job.rows, job.filled) == (number, "done", MANY, True)


async def test_an_old_job_that_was_stopped_is_still_under_way_after_many_later_ones(full: Bureau) -> None:
    first = await full.job("news:n0:0")
    await jobs.stop(full.db, first, "staff")
    for number in range(1, 4):
        await jobs.cancel(full.db, await full.job(f"news:n{number}:0"), "staff")
    assert [job.id for job in await jobs.open_ones(full.db, 20)] == [first]


async def test_what_is_beyond_todays_share_leaves_after_midnight(full: Bureau) -> None:
    clock = clock_at(12)
    full.clock, full.limits = clock, Limits(quotas={"city": {"template": 100}}, bulk_share=60)
    full.out = full.worker()
    number = await full.job()
    for day in (60, 120, MANY):
        await full.out.send_due()
        await full.out.send_due()
        assert sum(heard(full)) == day
        now, until = datetime.now(UTC), timedelta(hours=12, minutes=1)
        early = "SELECT count(*) FROM outbox WHERE state = 'queued' AND not_before < $1"
        assert not await full.db.fetchval(early, now + until - timedelta(minutes=1)), "none is tried before"
        await full.passes(until)
        clock.move(timedelta(days=1))
    assert heard(full) == [1] * MANY
    await full.out.look_after()
    assert (await progress(full.db, number)).state == "done"


async def test_the_same_notice_is_one_job(full: Bureau) -> None:
    assert await full.job() == await full.job()
    await full.out.send_due()
    await full.job()
    await full.out.send_due()
    assert heard(full) == [1] * MANY


async def test_pages_follow_one_another_and_what_was_filled_stays(
    full: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 40)
    await full.job()
    assert [await Filling(full.db, full.post).fill() for _ in range(5)] == [40, 40, 40, 30, 0]
    assert await full.db.fetchval("SELECT count(DISTINCT (job, row_no)) FROM outbox") == MANY


async def test_two_processes_fill_one_job_without_a_row_too_many(
    full: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 10)
    await full.job()

    async def fills() -> None:
        while not (await jobs.listed(full.db, None, 1))[0].filled:
            await Filling(full.db, full.post).fill()

    async with asyncio.timeout(30):
        await asyncio.gather(fills(), fills(), fills())
    assert await full.db.fetchval("SELECT count(*) FROM outbox") == MANY


async def test_stopped_it_sends_nothing_more_until_it_is_continued(full: Bureau) -> None:
    number = await full.job()
    stopped = asyncio.Event()

    async def stop_soon() -> None:
        if full.post.asked == 40 and not stopped.is_set():
            stopped.set()
            await jobs.stop(full.db, number, "staff")

    full.post.on_send = stop_soon
    await full.out.send_due()
    sent = sum(heard(full))
    assert 40 <= sent <= 96, "what was under way arrived, and nothing else"
    await full.out.send_due()
    assert sum(heard(full)) == sent
    await jobs.go_on(full.db, number, "staff")
    await full.db.execute(
        "UPDATE outbox SET lease_until = now() - interval '1 second' WHERE state = 'sending'"
    )
    await full.out.send_due()
    assert heard(full) == [1] * MANY
    told = await full.db.fetch("SELECT who, what FROM job_events ORDER BY id")
    assert [(row["who"], row["what"]) for row in told][:3] == [
        ("staff", "made"), ("staff", "stopped"), ("staff", "continued"),
    ]  # fmt: skip


async def test_cancelled_nobody_else_gets_it_and_every_row_ends(full: Bureau) -> None:
    number = await full.job()
    await full.out.look_after()
    await jobs.cancel(full.db, number, "staff")
    await full.out.send_due()
    assert sum(heard(full)) == 0
    assert set(await full.states()) == {("cancelled", "changed")}
    with pytest.raises(NoSuchJob):
        await jobs.go_on(full.db, number, "staff")
    await jobs.cancel(full.db, number, "staff")


async def test_a_job_nobody_has_made_cannot_be_stopped(full: Bureau) -> None:
    with pytest.raises(NoSuchJob):
        await jobs.stop(full.db, 4711, "staff")


async def test_one_bad_recipient_never_stops_the_batch(full: Bureau) -> None:
    bad: list[Outcome] = [Refused(Policy.GONE, 43004, "require subscribe")]
    full.post.answers = [*bad, *[Sent(str(number)) for number in range(60)], *bad]
    await full.job()
    await full.out.send_due()
    assert sum(heard(full)) == MANY - 2
    assert [state for state, _ in await full.states()].count("failed") == 2


async def test_several_jobs_share_a_batch(full: Bureau) -> None:
    await full.job("news:n1:0")
    await full.job("news:n2:0")
    await full.out.look_after()
    bulk = full.worker(Lane.BULK)
    stopped = asyncio.Event()

    async def look() -> None:
        if full.post.asked == 64 and not stopped.is_set():
            stopped.set()
            rows = await full.db.fetch("SELECT job, count(*) FROM outbox WHERE tries > 0 GROUP BY job")
            assert len(rows) == 2, "the second does not wait for the first"

    full.post.on_send = look
    await bulk.send_due()
    assert stopped.is_set()
    assert heard(full) == [2] * MANY


async def test_its_progress_is_counted(full: Bureau) -> None:
    number = await full.job()
    await full.out.look_after()
    before = await progress(full.db, number)
    assert (before.counts, before.left, before.total) == ({"queued": MANY}, MANY, MANY)
    assert before.per_second == 0
    assert before.seconds_left is None
    await full.out.send_due()
    after = await progress(full.db, number)
    assert (after.counts, after.left) == ({"accepted": MANY}, 0)
    assert after.per_second > 0
    assert after.seconds_left == 0


async def test_with_everything_held_for_the_night_nothing_was_left_to_do(full: Bureau) -> None:
    number = await full.job()
    await full.out.look_after()
    await full.db.execute(
        "UPDATE outbox SET state = 'held', hold = 'quiet', not_before = now() + interval '9 hours'"
    )
    at_night = await progress(full.db, number)
    assert (at_night.seconds_left, at_night.later, hours_off(at_night.until)) == (None, MANY, 9)
    await full.db.execute("UPDATE outbox SET hold = 'kept'")
    kept = await progress(full.db, number)
    assert (kept.seconds_left, kept.later, kept.until) == (None, 0, None), "until each of them writes"


async def test_what_is_over_todays_share_was_counted_at_todays_rate(full: Bureau) -> None:
    full.clock, full.limits = clock_at(12), Limits(quotas={"city": {"template": 100}}, bulk_share=60)
    full.out = full.worker()
    number = await full.job()
    await full.out.send_due()
    await full.out.send_due()
    how = await progress(full.db, number)
    assert (how.per_second, how.counts) == (6, {"accepted": 60, "queued": MANY - 60})
    assert (how.seconds_left, how.later, hours_off(how.until)) == (None, MANY - 60, 12)


async def test_while_recipients_are_listed_nobody_knows_how_long_it_takes(
    full: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 100)
    number = await full.job()
    await Filling(full.db, full.post).fill()
    await full.worker(Lane.PERSONAL).send_due()
    await full.db.execute("UPDATE outbox SET state = 'accepted', settled_at = now() WHERE row_no <= 50")
    assert (await progress(full.db, number)).seconds_left is None
    await full.out.look_after()
    listed = await progress(full.db, number)
    assert (listed.left, listed.seconds_left) == (100, 20), "control"
    await jobs.stop(full.db, number, "staff")
    assert (await progress(full.db, number)).seconds_left is None


def hours_off(until: datetime | None) -> int:
    assert until is not None
    return round((until - datetime.now(UTC)).total_seconds() / 3600)


async def test_a_job_is_never_done_without_its_event(full: Bureau) -> None:
    """A worker was killed between the two; control: with the event refused, the job is not done either."""
    number = await full.job()
    await full.out.send_due()
    await full.db.execute(
        "ALTER TABLE job_events ADD CONSTRAINT nothing_ends CHECK (what <> 'done') NOT VALID"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await jobs.end(full.db)
    assert (await progress(full.db, number)).state == "running"
    await full.db.execute("ALTER TABLE job_events DROP CONSTRAINT nothing_ends")
    await jobs.end(full.db)
    await jobs.end(full.db)
    told = await full.db.fetch("SELECT who, what FROM job_events WHERE job = $1 ORDER BY id", number)
    assert [(row["who"], row["what"]) for row in told] == [("staff", "made"), ("worker", "done")]


async def test_what_a_job_has_still_to_send_is_not_late(full: Bureau) -> None:
    """The health page called a notice spread over days a stoppage; control: a message of its own is late."""
    number = await full.job()
    await Filling(full.db, full.post).fill()
    await full.db.execute("UPDATE outbox SET made_at = now() - interval '1 day'")
    behind = await backlog(full.db)
    assert (behind.waiting, behind.jobs, behind.in_jobs) == (0, 1, MANY)
    assert [(each.lane, each.state, each.count) for each in behind.lanes] == [(Lane.BULK, "queued", MANY)]
    await full.queue(full.notice())
    assert (await backlog(full.db)).waiting == 1
    await jobs.stop(full.db, number, "staff")
    assert (await backlog(full.db)).jobs == 0


class Crashing:
    """A register of citizens that is gone at the second page, once."""

    def __init__(self, bureau: Bureau) -> None:
        self._bureau = bureau
        self.pages: list[str] = []

    async def page(self, account: str, audience: str, after: str, limit: int) -> list[str]:
        self.pages.append(after)
        if len(self.pages) == 2:
            raise ConnectionError("killed")
        return await self._bureau.post.page(account, audience, after, limit)


async def test_who_crashes_while_filling_is_followed_where_it_stopped(
    full: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PAGE", 100)
    number, register = await full.job(), Crashing(full)
    first = Filling(full.db, register)
    assert [await first.fill(), await first.fill()] == [100, 0]
    assert (await progress(full.db, number)).total == 100
    heir = Filling(full.db, register)
    while await heir.fill():
        pass
    reached = sorted(full.post.phones)[99]
    assert register.pages[1] == register.pages[2] == reached, "it goes on there, not at the beginning"
    await full.out.send_due()
    assert heard(full) == [1] * MANY


async def test_a_notice_that_waits_for_the_morning_does_not_leave_to_all_in_one_instant(
    bureau: Bureau,
) -> None:
    """Control: one that leaves at once leaves to everybody now."""
    everybody = {f"city:{number:032x}": Phone("city", f"o-{number}") for number in range(40)}
    bureau.post.phones.update(everybody)
    moments = {}
    for key, wait in (("news:morning:0", timedelta(hours=9)), ("news:now:0", timedelta())):
        number = await bureau.job(key)
        await bureau.db.execute("UPDATE jobs SET not_before = made_at + $2 WHERE id = $1", number, wait)
        await jobs.fill(bureau.db, number, bureau.post)
        rows = await bureau.db.fetch("SELECT not_before, made_at FROM outbox WHERE job = $1", number)
        moments[key] = {row["not_before"] - row["made_at"] - wait for row in rows}
    assert len(moments["news:now:0"]) == 1
    later = moments["news:morning:0"]
    assert len(later) > 30
    assert max(later) < timedelta(minutes=10)
