"""What the platform's answers stop for others, and for how long a message is tried (domain-rules M2)."""

from datetime import timedelta

import pytest

from core.delivery.sender import Outcome, PerhapsSent, Policy, Refused, SurelyNotSent, Unknown
from tests.core.delivery.bureau import Bureau
from tests.core.delivery.town import HERE

TEMPLATE, ALARM = "[T-visit]", "[T-storm]"
IN_WINDOW = "您有 2 条未读消息，回复“未读”查看"
NO_CONNECTION = SurelyNotSent("no connection", 5)
USED_UP = SurelyNotSent("45009 daily quota", timedelta(hours=14).total_seconds(), Policy.RATE_DAY)
WRONG_SECRET = Refused(Policy.CONFIGURATION, 40001, "invalid credential")
MINUTE, HALF_AN_HOUR = timedelta(minutes=1), timedelta(minutes=30)


async def sends(bureau: Bureau, kind: str, *answers: Outcome) -> None:
    """One more message, and what WeChat says to whatever is due."""
    bureau.post.answers = list(answers)
    await bureau.queue(bureau.notice(kind))
    await bureau.out.send_due()


async def after(bureau: Bureau, by: timedelta, *answers: Outcome) -> None:
    """Time passes, and what is due is sent."""
    bureau.post.answers = list(answers)
    await bureau.passes(by)
    await bureau.out.send_due()


# --- what a refusal stops ---


@pytest.mark.parametrize(
    ("answer", "template", "way"),
    [
        (SurelyNotSent("45011 too fast", 60, Policy.RATE_MINUTE), True, False),
        (SurelyNotSent("40001 token", 30, Policy.TOKEN), True, False),
        (USED_UP, True, False),
        (Refused(Policy.PERMISSION, 48001, "api unauthorized"), True, False),
        (WRONG_SECRET, True, True),
        (Refused(Policy.TEMPLATE, 43116, "template limited"), False, False),
        (Refused(Policy.TEMPLATE, 40037, "no such template"), False, False),
    ],
)
async def test_after_a_refusal_the_next_message_is_not_even_asked_for(
    bureau: Bureau, answer: Outcome, template: bool, way: bool
) -> None:
    """`template`: nor one with another template; `way`: nor one that goes another way."""
    await sends(bureau, "visit", answer)
    await sends(bureau, "visit")
    assert (bureau.post.asked, bureau.heard) == (1, [])
    assert [state for state, _ in await bureau.states()] == ["queued", "queued"]
    await sends(bureau, "storm")
    assert bureau.heard == ([] if template else [ALARM])
    bureau.post.phones[HERE].heard.clear()
    await bureau.opens()
    await sends(bureau, "news")
    assert bureau.heard == ([] if way else [IN_WINDOW])


@pytest.mark.parametrize(
    ("answer", "over"),
    [
        (SurelyNotSent("45011 too fast", 60, Policy.RATE_MINUTE), MINUTE),
        (SurelyNotSent("40001 token", 30, Policy.TOKEN), MINUTE / 2),
        (USED_UP, timedelta(hours=14)),
        (Refused(Policy.PERMISSION, 48001, "api unauthorized"), 10 * MINUTE),
        (WRONG_SECRET, MINUTE),
        (Refused(Policy.TEMPLATE, 43116, "template limited"), 10 * MINUTE),
    ],
)
async def test_when_the_stop_is_over_both_arrive(bureau: Bureau, answer: Outcome, over: timedelta) -> None:
    await sends(bureau, "visit", answer)
    await sends(bureau, "visit")
    await after(bureau, over - timedelta(seconds=10))
    assert bureau.post.asked == 1
    await after(bureau, timedelta(seconds=11))
    assert bureau.heard == [TEMPLATE, TEMPLATE]


@pytest.mark.parametrize(
    "answer",
    [
        Refused(Policy.TEMPLATE, 47003, "argument invalid: thing1"),
        Refused(Policy.TEMPLATE, 41030, "invalid page"),
        Refused(Policy.CONTENT, 45002, "too long"),
        Refused(Policy.REQUEST, 43002, "require POST"),
    ],
)
async def test_control_a_message_that_is_itself_to_blame_fails_alone(bureau: Bureau, answer: Refused) -> None:
    await sends(bureau, "visit", answer)
    await sends(bureau, "visit")
    assert bureau.heard == [TEMPLATE]
    assert await bureau.states() == [("failed", f"{answer.code} {answer.words}"), ("accepted", "")]


async def test_a_code_nobody_knows_is_tried_five_times(bureau: Bureau) -> None:
    await sends(bureau, "visit", *[Unknown(98_765, "?")] * 9)
    for _ in range(9):
        await after(bureau, MINUTE, *[Unknown(98_765, "?")] * 9)
    assert (bureau.post.asked, await bureau.state()) == (5, "failed")


# --- for how long it is tried ---


async def test_what_is_urgent_is_given_up_after_half_an_hour(bureau: Bureau) -> None:
    await sends(bureau, "storm", NO_CONNECTION)
    await after(bureau, 29 * MINUTE, NO_CONNECTION)
    assert await bureau.state() == "queued"
    await after(bureau, MINUTE)
    assert await bureau.states() == [("failed", "given up: no connection")]
    assert bureau.heard == [], "a warning of an hour ago frightens people in vain"


async def test_everything_else_after_four_hours(bureau: Bureau) -> None:
    await sends(bureau, "visit", NO_CONNECTION)
    await after(bureau, timedelta(hours=4) - MINUTE, NO_CONNECTION)
    assert await bureau.state() == "queued"
    await after(bureau, MINUTE, NO_CONNECTION)
    assert await bureau.states() == [("failed", "given up: no connection")]


@pytest.mark.parametrize("answer", [USED_UP, Refused(Policy.PERMISSION, 48001, "no"), WRONG_SECRET])
async def test_what_is_urgent_does_not_wait_for_the_end_of_a_stop(bureau: Bureau, answer: Outcome) -> None:
    await sends(bureau, "storm", answer)
    await sends(bureau, "storm")
    for _ in range(30):
        await after(bureau, MINUTE, *[answer] * 9)
    assert [state for state, _ in await bureau.states()] == ["failed", "failed"]
    asked = bureau.post.asked
    await after(bureau, timedelta(hours=15))
    assert (bureau.post.asked, bureau.heard) == (asked, [])


async def test_a_stop_is_no_trying(bureau: Bureau) -> None:
    await sends(bureau, "visit", USED_UP)
    await after(bureau, timedelta(hours=14), NO_CONNECTION)
    assert await bureau.states() == [("queued", "no connection")], "its first"
    await after(bureau, MINUTE)
    assert bureau.heard == [TEMPLATE]


async def test_nor_is_a_stop_that_others_brought_about(bureau: Bureau) -> None:
    await sends(bureau, "visit", NO_CONNECTION)
    await sends(bureau, "visit", USED_UP)
    await after(bureau, MINUTE)
    assert bureau.post.asked == 2
    await after(bureau, timedelta(hours=14), NO_CONNECTION, NO_CONNECTION)
    assert await bureau.states() == [("queued", "no connection")] * 2
    await after(bureau, MINUTE)
    assert bureau.heard == [TEMPLATE, TEMPLATE]


async def test_settings_that_were_wrong_for_a_night_cost_no_message(bureau: Bureau) -> None:
    await sends(bureau, "visit", WRONG_SECRET)
    for _ in range(5):
        await after(bureau, timedelta(hours=1), WRONG_SECRET)
    await after(bureau, timedelta(hours=1), NO_CONNECTION)
    await after(bureau, MINUTE)
    assert bureau.heard == [TEMPLATE]


async def test_a_reply_that_waited_for_a_window_is_not_given_up_at_its_next_try(bureau: Bureau) -> None:
    bureau.post.answers = [Refused(Policy.WINDOW, 45015, "out of response time limit")]
    await bureau.owes("预约成功")
    await bureau.out.send_due()
    assert await bureau.state() == "held"
    await bureau.passes(timedelta(hours=5))
    await bureau.writes()
    await after(bureau, MINUTE, NO_CONNECTION)
    await after(bureau, MINUTE)
    assert bureau.heard == ["预约成功"]


@pytest.mark.parametrize(("kind", "tried"), [("storm", HALF_AN_HOUR), ("visit", timedelta(hours=4))])
async def test_what_perhaps_arrived_is_not_said_again_for_ever(
    bureau: Bureau, kind: str, tried: timedelta
) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice(kind))
    await bureau.db.execute("UPDATE outbox SET repeatable = true")
    bureau.post.answers = [PerhapsSent("no answer")]
    await bureau.out.send_due()
    await after(bureau, tried - MINUTE, PerhapsSent("no answer"))
    assert await bureau.state() == "queued"
    await after(bureau, MINUTE, PerhapsSent("no answer"))
    assert (bureau.heard, await bureau.state()) == ([], "unknown")
