"""What becomes of a message of ours that is due: sent, put off, held or written off, and never said twice."""

from datetime import timedelta

import pytest

from core.chat.durations import WINDOW_SENDS
from core.delivery.sender import (
    Outcome,
    PerhapsSent,
    Policy,
    Refused,
    Sent,
    SurelyNotSent,
    Unknown,
    Unsendable,
)
from tests.core.delivery.town import HERE, NOWHERE, THERE, Town

# --- what the platform answers ---


async def test_what_is_due_arrives_once(town: Town) -> None:
    event_id = await town.owes("预约成功")
    assert await town.late.send_due() == 1
    assert await town.late.send_due() == 0
    assert town.heard == ["预约成功"]
    assert await town.row(event_id) == ("accepted", "")


AGAIN = {Policy.CONFIGURATION, Policy.PERMISSION, Policy.UNKNOWN}
REFUSALS = [each for each in Policy if each not in {Policy.WINDOW, Policy.DONE, *AGAIN}]


@pytest.mark.parametrize(
    ("outcome", "state", "reason"),
    [
        (Sent("1"), "accepted", ""),
        (SurelyNotSent("token: no answer", 60), "queued", "token: no answer"),
        (PerhapsSent("no answer in time"), "unknown", "no answer in time"),
        (Unsendable(""), "cancelled", "nothing to send: silence"),
        (
            Unsendable("transfer_customer_service"),
            "cancelled",
            "nothing to send: transfer_customer_service",
        ),
        (Refused(Policy.WINDOW, 45015, "out of time"), "held", "out of time"),
        *(
            (Refused(policy, 40164, "not in whitelist"), "queued", "40164 not in whitelist")
            for policy in AGAIN
        ),
        *((Refused(policy, 48001, "no"), "failed", "48001 no") for policy in REFUSALS),
    ],
)
async def test_each_outcome_leads_to_its_state(town: Town, outcome: Outcome, state: str, reason: str) -> None:
    town.post.answers = [outcome]
    event_id = await town.owes()
    await town.late.send_due()
    assert await town.row(event_id) == (state, reason)
    await town.late.send_due()
    assert town.post.asked == 1, "nothing is asked again before its time"


async def test_what_surely_did_not_go_out_is_tried_again_after_its_time(town: Town) -> None:
    town.post.answers = [SurelyNotSent("token: no answer", 60)] * 2
    event_id = await town.owes("预约成功")
    assert await town.late.send_due() == 0
    await town.passes(timedelta(seconds=59))
    await town.late.send_due()
    assert town.post.asked == 1
    for _ in range(2):
        await town.passes(timedelta(seconds=61))
        await town.late.send_due()
    assert (town.heard, await town.row(event_id)) == (["预约成功"], ("accepted", ""))


async def test_what_only_the_settings_are_to_blame_for_goes_when_they_are_right(town: Town) -> None:
    town.post.answers = [Refused(Policy.CONFIGURATION, 40164, "not in whitelist")] * 2
    event_id = await town.owes("预约成功")
    for _ in range(3):
        await town.late.send_due()
        await town.passes(timedelta(seconds=61))
    assert (town.heard, await town.row(event_id)) == (["预约成功"], ("accepted", ""))


@pytest.mark.parametrize(("refusals", "arrives"), [(4, True), (5, False)])
async def test_a_code_nobody_knows_is_tried_five_times(town: Town, refusals: int, *, arrives: bool) -> None:
    town.post.answers = [Unknown(98_765, "something new")] * refusals
    event_id = await town.owes("预约成功")
    for _ in range(7):
        await town.late.send_due()
        await town.passes(timedelta(seconds=61))
    assert town.post.asked == 5
    assert town.heard == ["预约成功"] * arrives
    assert await town.row(event_id) == (("accepted", "") if arrives else ("failed", "98765 something new"))


async def test_what_perhaps_went_out_is_not_said_again(town: Town) -> None:
    town.post.answers = [PerhapsSent("no answer in time")]
    await town.owes()
    assert await town.late.send_due() == 1
    await town.passes(timedelta(days=1))
    await town.late.send_due()
    assert town.post.asked == 1


async def test_the_next_one_waits_for_one_that_is_tried_again(town: Town) -> None:
    town.post.answers = [SurelyNotSent("busy", 60)]
    for words in ("请选科室", "请选医生"):
        await town.owes(words)
    await town.owes("预约成功", THERE)
    await town.late.send_due()
    assert (town.heard, town.post.phones[THERE].heard) == ([], ["预约成功"])
    await town.passes(timedelta(seconds=61))
    await town.late.send_due()
    assert town.heard == ["请选科室", "请选医生"]


async def test_one_that_failed_does_not_keep_the_next_one(town: Town) -> None:
    town.post.answers = [Refused(Policy.CONTENT, 45002, "too long")]
    await town.owes("请选科室")
    await town.owes("请选医生")
    await town.late.send_due()
    assert town.heard == ["请选医生"]


# --- send windows ---


async def test_refused_for_want_of_a_window_it_goes_when_the_citizen_writes(town: Town) -> None:
    town.post.answers = [Refused(Policy.WINDOW, 45015, "out of time")]
    event_id = await town.owes("预约成功")
    await town.late.send_due()
    for _ in range(3):
        await town.passes(timedelta(seconds=3))
        await town.late.send_due()
    assert town.post.asked == 1, "WeChat is believed"
    await town.writes(THERE)
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert await town.row(event_id) == ("held", "out of time"), "somebody else's message opens nothing"
    await town.writes()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert (town.heard, await town.row(event_id)) == (["预约成功"], ("accepted", ""))


async def test_wechat_is_believed_rather_than_our_own_count(town: Town) -> None:
    await town.writes()
    town.post.answers = [Refused(Policy.WINDOW, 45047, "count used up")]
    await town.owes("预约成功")
    for _ in range(3):
        await town.late.send_due()
        await town.passes(timedelta(seconds=3))
    assert town.post.asked == 1
    await town.writes()
    await town.late.send_due()
    assert town.heard == ["预约成功"]


async def test_a_window_that_opens_while_wechat_refuses_stays_open(town: Town) -> None:
    async def writes_just_now() -> None:
        town.post.on_send = None
        await town.later()
        await town.writes()

    town.post.on_send = writes_just_now
    town.post.answers = [Refused(Policy.WINDOW, 45015, "out of time")]
    await town.owes("预约成功")
    await town.late.send_due()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert town.heard == ["预约成功"]


async def test_nobody_is_asked_where_no_window_is_open(town: Town) -> None:
    await town.windows.close(HERE)
    event_id = await town.owes("预约成功")
    await town.late.send_due()
    assert await town.row(event_id) == ("held", "no window")
    assert town.post.asked == 0
    await town.writes()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert town.heard == ["预约成功"]


async def test_where_nothing_is_known_of_windows_wechat_is_asked(town: Town) -> None:
    """As after Redis was wiped: the citizen wrote, and nobody remembers."""
    await town.owes("预约成功")
    assert await town.late.send_due() == 1
    assert town.heard == ["预约成功"]


async def test_no_more_go_out_than_the_window_allows(town: Town) -> None:
    await town.writes()
    events = [await town.owes(f"第{number}条") for number in range(1, WINDOW_SENDS + 3)]
    await town.late.send_due()
    assert town.heard == [f"第{number}条" for number in range(1, WINDOW_SENDS + 1)]
    assert await town.row(events[-2]) == ("held", "no window")
    assert (await town.row(events[-1]))[0] == "queued", "behind the one that is held"
    await town.writes()
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert len(town.heard) == WINDOW_SENDS + 2


@pytest.mark.parametrize(
    ("outcome", "left"),
    [
        (PerhapsSent("no answer"), WINDOW_SENDS - 1),
        (SurelyNotSent("no token", 0.001), WINDOW_SENDS),
        (Refused(Policy.CONTENT, 45002, "too long"), WINDOW_SENDS),
    ],
)
async def test_what_may_have_gone_out_counts_and_nothing_else(
    town: Town, outcome: Outcome, left: int
) -> None:
    await town.writes()
    town.post.answers = [outcome]
    await town.owes("第1条")
    await town.late.send_due()
    before = town.heard.copy()
    for number in range(WINDOW_SENDS + 1):
        await town.owes(f"又{number}条")
    await town.passes(timedelta(seconds=3))
    await town.late.send_due()
    assert len(town.heard) == left
    assert before in ([], town.heard[:1])


# --- to whom ---


async def test_who_unfollowed_is_not_written_to(town: Town) -> None:
    town.post.phones[HERE].following = False
    event_id = await town.owes()
    await town.late.send_due()
    assert await town.row(event_id) == ("failed", "unfollowed")
    assert town.post.asked == 0


async def test_where_nobody_of_that_name_is_known_it_fails(town: Town) -> None:
    event_id = await town.owes(conversation=NOWHERE)
    await town.owes("预约成功")
    await town.late.send_due()
    assert await town.row(event_id) == ("failed", "unknown_citizen")
    assert town.heard == ["预约成功"]


async def test_words_nobody_can_read_fail(town: Town) -> None:
    event_id = await town.owes()
    await town.db.execute("UPDATE outbox SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1)")
    await town.owes("预约成功")
    await town.late.send_due()
    assert await town.row(event_id) == ("failed", "unreadable")
    assert town.heard == ["预约成功"]
