"""Who gets what we send, and who does not any more."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from core.clock import CITY_ZONE
from core.delivery.filling import Filling
from core.delivery.prompts import Prompting
from core.delivery.sender import Outcome, Policy, Refused
from core.schedule.reminders import Reminders
from services.citizens.model import Recipient
from services.citizens.service import FOLLOWERS, Citizens
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.test_prompts import writes
from tests.core.delivery.town import HERE, THERE

VISIT = "[T-visit]"


async def comes_back(known: Citizens) -> None:
    """Somebody leaves and follows again a moment later."""
    await known.leave(HERE)
    await known.arrive(HERE, "city", "o-here")


@pytest.mark.usefixtures("known")
async def test_one_account_that_does_not_open_kept_all_that_was_claimed_with_it(bureau: Bureau) -> None:
    await bureau.db.execute(
        "UPDATE accounts SET openid = repeat('x', 40)::bytea WHERE conversation = $1", HERE
    )
    for conversation in (HERE, THERE):
        await bureau.queue(bureau.notice("visit", conversation=conversation))
    with capture_logs() as lines:
        await bureau.out.send_due()
    assert bureau.post.phones[THERE].heard == [VISIT]
    assert await bureau.states() == [("failed", "unknown_citizen"), ("accepted", "")]
    told = [line for line in lines if line["event"] == "openid_unreadable"]
    assert [line["conversation"] for line in told] == [HERE], "a person looks into it"


class LeavesAtOnce(Citizens):
    """Somebody unfollows when their message is in hand, after we looked whether they follow us."""

    async def resolve_all(self, conversations: Sequence[str]) -> dict[str, Recipient]:
        found = await super().resolve_all(conversations)
        await self.leave(HERE)
        return found


@pytest.mark.usefixtures("known")
async def test_what_is_in_hand_was_still_sent_to_who_left_meanwhile(bureau: Bureau) -> None:
    bureau.city = LeavesAtOnce(bureau.db, bureau.seal)
    bureau.out = bureau.worker()
    await bureau.queue(bureau.notice("visit"))
    await bureau.owes()
    await bureau.job(audience=FOLLOWERS)
    await bureau.out.send_due()
    assert (bureau.post.asked, bureau.post.phones[THERE].heard) == (1, ["[T-news]"])
    assert await bureau.states() == [("cancelled", "changed")] * 3 + [("accepted", "")]


async def test_what_was_queued_before_somebody_left_is_not_sent_when_they_are_back(
    bureau: Bureau, known: Citizens
) -> None:
    await bureau.queue(bureau.notice("visit"))
    await bureau.owes()
    await bureau.job("news:old:0", audience=FOLLOWERS)
    await Filling(bureau.db, known).fill()
    await comes_back(known)
    await bureau.out.send_due()
    assert (bureau.heard, bureau.post.phones[THERE].heard) == ([], ["[T-news]"])
    await bureau.queue(bureau.notice("visit"))
    await bureau.job("news:new:0", audience=FOLLOWERS)
    await bureau.out.send_due()
    assert bureau.heard == [VISIT, "[T-news]"], "control: what is queued after that"


async def test_a_reminder_that_was_set_before_comes_to_who_is_back(bureau: Bureau, known: Citizens) -> None:
    reminders = Reminders(bureau.db, bureau.notices, bureau.clock)
    now, soon = datetime.now(CITY_ZONE), timedelta(hours=1)
    visit = replace(bureau.notice("visit"), guards=("booking:b1",), valid_until=now + 3 * soon)
    later = replace(visit, step="later")
    async with bureau.db.transaction() as tx:
        assert await reminders.set(tx, visit, now + soon)
        assert await reminders.set(tx, later, now + 2 * soon)
    await comes_back(known)
    await bureau.db.execute("UPDATE reminders SET due_at = now() WHERE id = 1")
    assert await reminders.fire() == 1
    await bureau.out.send_due()
    assert bureau.heard == [VISIT]
    await bureau.db.execute("UPDATE reminders SET due_at = now()")
    assert await reminders.fire() == 1
    await comes_back(known)
    await bureau.out.send_due()
    assert bureau.heard == [VISIT], "fired before they left, it is like any other message"


async def test_who_wechat_says_is_gone_gets_nothing_else_that_waits(bureau: Bureau, known: Citizens) -> None:
    gone: Outcome = Refused(Policy.GONE, 43004, "require subscribe")
    bureau.post.answers = [gone]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await bureau.queue(bureau.notice("visit"))
    await known.arrive(HERE, "city", "o-here")
    await bureau.out.send_due()
    assert (bureau.post.asked, bureau.heard) == (2, [VISIT]), "queued after that"


async def test_a_digit_still_answers_what_arrived_before_somebody_left(
    bureau: Bureau, known: Citizens
) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await comes_back(known)
    (prompt,) = await Prompting(bureau.db).pending(writes(bureau))
    assert prompt.counts, "the booking stands"


async def test_leaving_twice_takes_back_once(bureau: Bureau, known: Citizens) -> None:
    n = "SELECT n FROM versions WHERE key = $1"
    assert await bureau.db.fetchval(n, f"recipient:{HERE}") == 0, "there from the arrival on"
    await known.leave(HERE)
    await known.leave(HERE)
    await known.arrive(HERE, "city", "o-here")
    assert await bureau.db.fetchval(n, f"recipient:{HERE}") == 1
