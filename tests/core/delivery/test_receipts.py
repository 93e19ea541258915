"""What the platform says became of our messages finds its row, whichever comes first."""

from datetime import UTC, datetime, timedelta

import pytest

from core.delivery import receipts
from core.delivery.prompts import Prompting
from core.delivery.receipts import Fate
from core.delivery.sender import PerhapsSent, Sent
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.test_prompts import writes
from tests.core.delivery.town import HERE, THERE
from tests.support.purging import purged


def fate(
    event: str, msg_id: str = "77", failed: str = "", template: str = "", conversation: str = HERE
) -> Fate:
    return Fate(event, 0, conversation, template, msg_id, failed, datetime.now(UTC))


async def left_before(bureau: Bureau, number: int, ago: timedelta) -> None:
    """Let a message have left so long ago."""
    await bureau.db.execute("UPDATE outbox SET first_at = now() - $2::interval WHERE id = $1", number, ago)


async def sends_template(bureau: Bureau, msg_id: str = "77") -> None:
    bureau.post.answers = [Sent(msg_id)]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()


async def sends_subscription(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()


async def test_a_receipt_tells_that_a_template_message_was_delivered(bureau: Bureau) -> None:
    await sends_template(bureau)
    await receipts.note(bureau.db, [fate("e1")])
    assert await receipts.apply(bureau.db) == 1
    assert await bureau.states() == [("delivered", "")]
    assert await receipts.apply(bureau.db) == 0


async def test_or_why_it_was_not(bureau: Bureau) -> None:
    await sends_template(bureau)
    await receipts.note(bureau.db, [fate("e1", failed="user block")])
    await bureau.out.send_due()
    assert await bureau.states() == [("failed", "user block")]


async def test_one_that_comes_before_its_message_knows_its_id_is_not_lost(bureau: Bureau) -> None:
    await receipts.note(bureau.db, [fate("e1")])
    assert await receipts.apply(bureau.db) == 0
    await sends_template(bureau)
    await bureau.out.send_due()
    assert await bureau.state() == "delivered"


async def test_the_same_receipt_again_changes_nothing(bureau: Bureau) -> None:
    await sends_template(bureau)
    for failed in ("", "user block"):
        await receipts.note(bureau.db, [fate("e1", failed=failed)])
    await receipts.apply(bureau.db)
    await receipts.note(bureau.db, [fate("e1", failed="user block")])
    await receipts.apply(bureau.db)
    assert await bureau.state() == "delivered"


async def test_an_id_of_somebody_else_s_message_is_not_ours(bureau: Bureau) -> None:
    await sends_template(bureau)
    await receipts.note(bureau.db, [fate("e1", conversation=THERE), fate("e2", "78")])
    assert await receipts.apply(bureau.db) == 0
    assert await bureau.state() == "accepted"


async def test_a_receipt_without_an_id_is_nobody_s(bureau: Bureau) -> None:
    """Messages in a window have no id either."""
    await bureau.opens()
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await receipts.note(bureau.db, [fate("e1", "", "user block")])
    assert await receipts.apply(bureau.db) == 0
    assert await bureau.states() == [("accepted", "")]


async def test_a_notice_that_was_tried_again_does_not_swap_its_fate(bureau: Bureau) -> None:
    """The first was refused for a moment, and left after the second: so the second receipt is its own."""
    for _ in range(2):
        await sends_subscription(bureau)
    await left_before(bureau, 2, timedelta(minutes=2))
    await receipts.note(bureau.db, [fate("e1", "901", "user block", template="S-visit")])
    await receipts.apply(bureau.db)
    await receipts.note(bureau.db, [fate("e2", "902", template="S-visit")])
    await receipts.apply(bureau.db)
    assert await bureau.states() == [("delivered", ""), ("failed", "user block")]


async def test_a_receipt_that_never_came_shifts_none_of_the_next_day_s(bureau: Bureau) -> None:
    for _ in range(2):
        await sends_subscription(bureau)
    await left_before(bureau, 1, timedelta(days=1))
    await receipts.note(bureau.db, [fate("e1", "902", "user block", template="S-visit")])
    await receipts.apply(bureau.db)
    assert await bureau.states() == [("accepted", ""), ("failed", "user block")]


async def test_a_receipt_is_never_dated_before_its_message(bureau: Bureau) -> None:
    await sends_subscription(bureau)
    await left_before(bureau, 1, timedelta(minutes=-5))
    await receipts.note(bureau.db, [fate("e1", "901", template="S-visit")])
    assert await receipts.apply(bureau.db) == 0
    assert await bureau.state() == "accepted"


async def test_a_receipt_that_says_a_message_arrived_lets_its_digits_count(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    (prompt,) = await Prompting(bureau.db).pending(writes(bureau))
    assert prompt.unsure
    await receipts.note(bureau.db, [fate("e1", "901", template="S-visit")])
    await receipts.apply(bureau.db)
    (prompt,) = await Prompting(bureau.db).pending(writes(bureau))
    assert not prompt.unsure
    assert prompt.option(1) == "come"


async def test_a_receipt_that_says_it_did_not_lets_nothing_count(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await receipts.note(bureau.db, [fate("e1", "901", "user block", template="S-visit")])
    await receipts.apply(bureau.db)
    assert await Prompting(bureau.db).pending(writes(bureau)) == []


async def test_receipts_of_subscriptions_go_to_the_oldest_that_has_none(bureau: Bureau) -> None:
    await sends_subscription(bureau)
    await sends_subscription(bureau)
    await receipts.note(bureau.db, [fate("e1", "901", template="S-visit")])
    await receipts.apply(bureau.db)
    assert await bureau.states() == [("delivered", ""), ("accepted", "")]
    await receipts.note(bureau.db, [fate("e2", "902", "refused", template="S-visit")])
    await receipts.apply(bureau.db)
    assert await bureau.states() == [("delivered", ""), ("failed", "refused")]


async def test_two_receipts_at_once_find_two_messages(bureau: Bureau) -> None:
    await sends_subscription(bureau)
    await sends_subscription(bureau)
    told = [fate("e1", "901", template="S-visit"), fate("e2", "902", template="S-visit")]
    await receipts.note(bureau.db, told)
    await receipts.apply(bureau.db)
    assert [state for state, _ in await bureau.states()] == ["delivered"] * 2
    assert {row["msg_id"] for row in await bureau.db.fetch("SELECT msg_id FROM outbox")} == {"901", "902"}


async def test_a_subscription_of_unknown_fate_is_delivered_if_its_receipt_says_so(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await receipts.note(bureau.db, [fate("e1", "901", template="S-visit")])
    await bureau.out.send_due()
    assert await bureau.states() == [("delivered", "")]


async def test_what_wechat_took_has_its_receipt_before_what_perhaps_never_arrived(bureau: Bureau) -> None:
    """The first was cut off on its way, and the receipt was taken for its own."""
    for answer in (PerhapsSent("no answer"), Sent()):
        bureau.post.answers = [answer]
        await sends_subscription(bureau)
    await receipts.note(bureau.db, [fate("e1", "902", template="S-visit")])
    await receipts.apply(bureau.db)
    assert [state for state, _ in await bureau.states()] == ["sending", "delivered"]


async def test_a_receipt_waits_while_another_one_s_answer_is_on_its_way(bureau: Bureau) -> None:
    """Its message was in doubt; this one's own answer is not heard yet."""
    bureau.post.answers = [PerhapsSent("no answer")]
    await sends_subscription(bureau)

    async def on_send() -> None:
        await receipts.note(bureau.db, [fate("e1", "902", template="S-visit")])
        assert await receipts.apply(bureau.db) == 0

    bureau.post.on_send = on_send
    await sends_subscription(bureau)
    assert await receipts.apply(bureau.db) == 1
    assert [state for state, _ in await bureau.states()] == ["sending", "delivered"]


async def test_what_a_citizen_has_answered_stays_read(bureau: Bureau) -> None:
    await sends_template(bureau)
    await bureau.db.execute("UPDATE outbox SET state = 'read'")
    await receipts.note(bureau.db, [fate("e1")])
    await receipts.apply(bureau.db)
    assert await bureau.state() == "read"
    assert await bureau.db.fetchval("SELECT count(*) FROM receipts") == 0


async def test_receipts_of_nothing_are_forgotten_after_a_day(bureau: Bureau) -> None:
    await receipts.note(bureau.db, [fate("e1")])
    await purged(bureau.db, "receipts")
    assert await bureau.db.fetchval("SELECT count(*) FROM receipts") == 1
    await bureau.db.execute("UPDATE receipts SET at = at - interval '1 day 1 second'")
    await purged(bureau.db, "receipts")
    assert await bureau.db.fetchval("SELECT count(*) FROM receipts") == 0


@pytest.mark.parametrize("first", [0, 1])
async def test_receipts_and_the_worker_that_settles_never_wait_for_each_other(
    bureau: Bureau, first: int
) -> None:
    """A worker settles one message, receipts of two come, and it goes on to the other."""
    for where in (HERE, THERE):
        await bureau.allows("S-visit", where)
        await bureau.queue(bureau.notice("visit", conversation=where))
    await bureau.out.send_due()
    await receipts.note(
        bureau.db,
        [fate("e1", "71", template="S-visit"), fate("e2", "72", template="S-visit", conversation=THERE)],
    )
    touch = "UPDATE outbox SET reason = 'settled' WHERE id = $1"
    one, other = (1, 2) if first else (2, 1)
    async with bureau.db.transaction() as tx:
        await tx.execute(touch, one)
        assert await receipts.apply(bureau.db) == 1, "the other one's; this one's keeps"
        await tx.execute(touch, other)
    assert await receipts.apply(bureau.db) == 1
    assert [state for state, _ in await bureau.states()] == ["delivered"] * 2


async def test_turns_are_counted_by_one_process_at_a_time(bureau: Bureau) -> None:
    await sends_template(bureau)
    await receipts.note(bureau.db, [fate("e1")])
    async with bureau.db.transaction() as tx:
        assert await tx.fetchval("SELECT pg_try_advisory_xact_lock($1)", receipts.APPLYING)
        assert await receipts.apply(bureau.db) == 0
    assert await receipts.apply(bureau.db) == 1
