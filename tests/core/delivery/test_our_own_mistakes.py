"""What fails in a way nobody thought of is told, ends nothing else, and is tried again."""

from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from core.delivery import filling, jobs, outgoing
from core.delivery.sender import SurelyNotSent
from core.errors import StoreGoneError
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.test_relief import gateway
from tests.support.waiting import until


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "_GONE_S", 0.05)
    monkeypatch.setattr(filling, "AGAIN_S", 0.05)


async def test_a_page_of_recipients_that_fails_ended_the_filling_of_jobs_without_a_word(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    page, asked = bureau.post.page, 0

    async def fails_twice(account: str, audience: str, after: str, limit: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        if asked <= 2:
            raise ZeroDivisionError
        return await page(account, audience, after, limit)

    monkeypatch.setattr(bureau.post, "page", fails_twice)
    await bureau.opens()
    job = await bureau.job()

    async def done() -> bool:
        return bool(await bureau.db.fetchval("SELECT state = 'done' FROM jobs WHERE id = $1", job))

    with capture_logs() as lines:
        async with gateway(bureau, None):
            await bureau.queue(bureau.notice("note"))
            await until(lambda: len(bureau.heard) == 2, "the note, and the job when it could")
            await until(done, "the job is through")
    told = [line for line in lines if line["event"] == "job_not_filled"]
    assert [(line["log_level"], line["again_in_s"]) for line in told] == [("error", 0.05), ("error", 0.1)]
    assert all(line["exc_info"] and line["job"] == job for line in told), "with its traceback"


async def test_one_job_that_cannot_be_filled_kept_all_others_from_their_rows_and_their_end(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = bureau.post.page

    async def fails(account: str, audience: str, after: str, limit: int) -> Sequence[str]:
        if audience == "nobody knows":
            raise ValueError(audience)
        return await page(account, audience, after, limit)

    monkeypatch.setattr(bureau.post, "page", fails)
    bad, good = await bureau.job("news:bad:0", audience="nobody knows"), await bureau.job("news:good:0")
    with capture_logs() as lines:
        for _ in range(2):
            await bureau.out.send_due()
    states = {job.id: job.state for job in await jobs.listed(bureau.db, None, 10)}
    assert states == {bad: "running", good: "done"}
    assert bureau.heard == ["[T-news]"]
    assert [line["job"] for line in lines if line["event"] == "job_not_filled"][:1] == [bad]


async def test_a_store_that_is_away_is_no_mistake_of_a_job(
    bureau: Bureau, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def is_away(account: str, audience: str, after: str, limit: int) -> Sequence[str]:
        raise StoreGoneError("PostgreSQL")

    monkeypatch.setattr(bureau.post, "page", is_away)
    await bureau.job()
    with capture_logs() as lines, pytest.raises(StoreGoneError):
        await bureau.out.send_due()
    assert not lines


def test_a_sender_that_was_told_to_try_again_at_once_did_nothing_else() -> None:
    with pytest.raises(ValueError, match="after how many seconds"):
        SurelyNotSent("nobody there", 0.0)


async def test_a_request_that_fails_in_our_own_hands_keeps_nothing_else_of_its_lane(bureau: Bureau) -> None:
    await bureau.opens()
    requests = 0

    async def fails_first() -> None:
        nonlocal requests
        requests += 1
        if requests == 1:
            raise ZeroDivisionError

    bureau.post.on_send = fails_first
    await bureau.queue(bureau.notice("note"))
    async with gateway(bureau, None):
        await until(lambda: requests == 1, "it failed")
        await bureau.queue(bureau.notice("note"))
        await until(lambda: len(bureau.heard) == 1, "the next one left")
    states = sorted(state for state, _ in await bureau.states())
    assert states == ["accepted", "sending"], "nobody knows of the first whether it left: its lease will say"
