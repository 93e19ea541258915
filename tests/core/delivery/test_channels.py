"""Which way a notice takes, what it may use up, and what becomes of it where there is no way."""

from datetime import timedelta

import pytest

from core.chat.durations import WINDOW_SENDS
from core.chat.inbox import Window
from core.delivery.sender import PerhapsSent, Policy, Refused, Sent, SurelyNotSent
from core.stores.database import Database
from core.stores.redis import Redis
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE, THERE

TEMPLATE, SUBSCRIPTION = "[T-visit]", "(S-visit)"
IN_WINDOW = "您有 2 条未读消息，回复“未读”查看"


async def test_inside_a_send_window_it_is_a_message_of_the_chat(bureau: Bureau) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice("visit"))
    assert await bureau.out.send_due() == 1
    assert bureau.heard == [IN_WINDOW]
    assert await bureau.state() == "accepted"


async def test_without_a_window_a_subscription_goes_before_a_template(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    for _ in range(2):
        await bureau.queue(bureau.notice("visit"))
        await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION, TEMPLATE], "one 允许 is one notice"


async def test_a_long_term_credit_is_not_used_up(bureau: Bureau) -> None:
    await bureau.allows("S-visit", long_term=True)
    for _ in range(3):
        await bureau.queue(bureau.notice("visit"))
        await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION] * 3


async def test_credits_of_others_and_for_other_templates_are_of_no_use(bureau: Bureau) -> None:
    await bureau.allows("S-visit", THERE)
    await bureau.allows("S-other")
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


async def test_each_window_keeps_two_of_its_messages_for_what_is_urgent(bureau: Bureau) -> None:
    await bureau.opens()
    for _ in range(WINDOW_SENDS):
        await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert sorted(bureau.heard) == sorted([IN_WINDOW] * (WINDOW_SENDS - 2) + [TEMPLATE] * 2)
    for _ in range(3):
        await bureau.queue(bureau.notice("storm"))
    await bureau.owes("预约成功")
    await bureau.out.send_due()
    assert bureau.heard[WINDOW_SENDS:].count("[T-storm]") == 2, "one was left to the reply, one to them"


async def test_whom_redis_has_forgotten_is_sent_a_template(bureau: Bureau, any_redis: Redis) -> None:
    await bureau.opens()
    await any_redis.client.flushall()
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


async def test_refused_for_want_of_a_window_it_goes_another_way_at_once(bureau: Bureau) -> None:
    await bureau.opens()
    bureau.post.answers = [Refused(Policy.WINDOW, 45047, "out of response count limit")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]


async def test_a_refused_subscription_is_no_credit_any_more(bureau: Bureau) -> None:
    for _ in range(2):
        await bureau.allows("S-visit")
    bureau.post.answers = [Refused(Policy.UNWILLING, 43101, "user refuse to accept the msg")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert sorted(bureau.heard) == [SUBSCRIPTION, TEMPLATE] or bureau.heard == [TEMPLATE, TEMPLATE]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard[-1] == TEMPLATE


async def test_a_credit_whose_message_did_not_leave_is_still_there(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    bureau.post.answers = [SurelyNotSent("no connection", 5)]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION]


async def test_a_window_whose_message_did_not_leave_is_as_wide_as_before(bureau: Bureau) -> None:
    await bureau.opens()
    for _ in range(WINDOW_SENDS + 2):
        bureau.post.answers = [SurelyNotSent("no connection", 5)]
        await bureau.queue(bureau.notice("storm"))
        await bureau.out.send_due()
        await bureau.passes(timedelta(seconds=6))
    bureau.post.answers = []
    await bureau.out.send_due()
    assert bureau.heard.count(IN_WINDOW) == WINDOW_SENDS


async def test_what_has_no_way_is_kept_until_the_citizen_writes(bureau: Bureau) -> None:
    await bureau.queue(bureau.notice("note"))
    await bureau.out.send_due()
    assert await bureau.states() == [("held", "no channel")]
    await bureau.opens(conversation=THERE)
    await bureau.out.send_due()
    assert bureau.heard == []
    await bureau.opens()
    await bureau.out.send_due()
    assert bureau.heard == [IN_WINDOW]


async def test_of_several_kept_messages_only_their_number_is_told_and_that_once(bureau: Bureau) -> None:
    for _ in range(3):
        await bureau.queue(bureau.notice("note"))
    await bureau.out.send_due()
    for _ in range(3):
        await bureau.opens()
        await bureau.out.send_due()
    assert bureau.heard == ["您有 3 条未读消息，回复“未读”查看"]
    await bureau.queue(bureau.notice("note"))
    assert [state for state, _ in await bureau.states()].count("held") == 3


async def test_who_unfollowed_gets_no_template_but_a_subscription(bureau: Bureau) -> None:
    bureau.post.phones[HERE].following = False
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert await bureau.states() == [("failed", "unfollowed")]
    await bureau.allows("S-visit")
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION]


async def test_whom_the_platform_does_not_know_is_noted_as_gone(bureau: Bureau) -> None:
    bureau.post.answers = [Refused(Policy.GONE, 43004, "require subscribe")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert await bureau.states() == [("failed", "43004 require subscribe")]
    assert not bureau.post.phones[HERE].following


@pytest.mark.parametrize("code", [43019, 48002, 50002, 70000])
async def test_who_does_not_want_any_message_is_not_asked_again_until_they_write(
    bureau: Bureau, code: int
) -> None:
    bureau.post.answers = [Refused(Policy.UNWILLING, code, "receiving is off")]
    for _ in range(2):
        await bureau.queue(bureau.notice("visit"))
        await bureau.out.send_due()
    assert bureau.post.asked == 1
    assert await bureau.states() == [("failed", f"{code} receiving is off"), ("failed", "unfollowed")]
    await bureau.allows("S-visit")
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [SUBSCRIPTION], "that much they have allowed"


async def test_control_who_refused_one_template_gets_the_others(bureau: Bureau) -> None:
    await bureau.allows("S-visit")
    bureau.post.answers = [Refused(Policy.UNWILLING, 43101, "user refuse")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE]
    assert bureau.post.phones[HERE].following


async def test_the_ninth_message_of_a_day_is_kept(bureau: Bureau) -> None:
    for _ in range(9):
        await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE] * 8
    assert ("held", "too many today") in await bureau.states()
    await bureau.queue(bureau.notice("storm"))
    await bureau.out.send_due()
    assert bureau.heard[-1] == "[T-storm]", "what is urgent is not counted"


async def test_what_did_not_leave_does_not_count_towards_the_day(bureau: Bureau) -> None:
    for _ in range(8):
        await bureau.queue(bureau.notice("visit"))
    bureau.post.answers = [SurelyNotSent("no connection", 5)] * 8
    await bureau.out.send_due()
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert bureau.heard == [TEMPLATE] * 8


# --- perhaps sent ---


@pytest.mark.parametrize("then", [Sent("77"), PerhapsSent("no answer")])
async def test_a_template_of_unknown_fate_is_asked_for_again_under_its_own_id(
    bureau: Bureau, then: Sent | PerhapsSent, any_db: Database
) -> None:
    bureau.post.answers = [PerhapsSent("no answer"), then]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await bureau.opens()  # a window that opens meanwhile must not say it a second time
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert bureau.post.asked == 2
    assert bureau.post.client_ids[0] == bureau.post.client_ids[1] != ""
    assert await bureau.state() == ("accepted" if isinstance(then, Sent) else "queued")
    assert await any_db.fetchval("SELECT channel FROM outbox") == "template"


async def test_what_perhaps_arrived_was_repeated_every_five_seconds(bureau: Bureau, any_db: Database) -> None:
    bureau.post.answers = [PerhapsSent("no answer")] * 200
    await bureau.queue(bureau.notice("visit"))
    waits = []
    while await bureau.state() != "unknown":
        await bureau.out.send_due()
        wait = await any_db.fetchval("SELECT not_before - now() FROM outbox")
        waits.append(round(wait.total_seconds()))
        await any_db.execute("UPDATE outbox SET first_at = first_at - $1::interval", wait)
        await bureau.passes(wait + timedelta(seconds=1))
    assert waits[: bureau.post.asked] == [5, 10, 20, 40, 80, 120, 120, 120, 120]
    assert await bureau.states() == [("unknown", "no answer")]


async def test_after_nine_minutes_it_stays_unknown(bureau: Bureau, any_db: Database) -> None:
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await any_db.execute("UPDATE outbox SET first_at = first_at - interval '9 minutes', not_before = now()")
    await bureau.out.send_due()
    assert (bureau.post.asked, await bureau.states()) == (1, [("unknown", "no answer")])


async def test_a_message_of_the_chat_that_perhaps_arrived_is_not_repeated(bureau: Bureau) -> None:
    await bureau.opens()
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    await bureau.passes(timedelta(hours=1))
    await bureau.out.send_due()
    assert (bureau.post.asked, await bureau.state()) == (1, "unknown")


async def test_unless_better_twice_than_never_and_then_it_says_so(bureau: Bureau) -> None:
    await bureau.opens(Window.MESSAGE)
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("storm"))
    await bureau.out.send_due()
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert bureau.heard == [f"（重发）{IN_WINDOW}"]


@pytest.mark.parametrize("code", [45015, 45047])
async def test_what_is_said_again_after_its_window_has_closed_goes_another_way(
    bureau: Bureau, code: int
) -> None:
    await bureau.opens()
    bureau.post.answers = [PerhapsSent("no answer"), Refused(Policy.WINDOW, code, "no window")]
    await bureau.queue(bureau.notice("storm"))
    await bureau.out.send_due()
    await bureau.passes(timedelta(seconds=6))
    await bureau.out.send_due()
    assert (bureau.heard, await bureau.state()) == (["[T-storm]"], "accepted")


async def test_a_template_refused_for_want_of_a_window_is_not_tried_for_ever(bureau: Bureau) -> None:
    bureau.post.answers = [Refused(Policy.WINDOW, 45015, "no window")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert (bureau.post.asked, await bureau.states()) == (1, [("failed", "45015 no window")])


async def test_a_subscription_of_unknown_fate_waits_for_its_receipt(bureau: Bureau, any_db: Database) -> None:
    await bureau.allows("S-visit")
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.queue(bureau.notice("visit"))
    await bureau.out.send_due()
    assert await bureau.state() == "sending"
    await any_db.execute("UPDATE outbox SET lease_until = lease_until - interval '5 minutes'")
    await bureau.out.send_due()
    assert (bureau.post.asked, await bureau.state()) == (1, "unknown")
