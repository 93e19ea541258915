"""An answer to a message of which nobody knows that it arrived: a tap proves it, a digit is asked about."""

import pytest

from tests.core.chat.surgery import Visits, arrives, changes, ends, perhaps_arrives, state_of, taps
from tests.support.talk import Talk

IN_DOUBT = ["sending", "unknown", "queued"]  # its answer is awaited, was lost, or it is to be said again


@pytest.fixture
def talk(patient: Talk) -> Talk:
    return patient


@pytest.mark.parametrize("state", IN_DOUBT)
async def test_a_tap_on_a_message_that_perhaps_arrived_is_its_answer(
    talk: Talk, visits: Visits, state: str
) -> None:
    reminder = await perhaps_arrives(talk, state=state)
    assert await taps(talk, reminder) == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]
    assert await state_of(talk, reminder) == ("read", False)
    assert "已经答过" in await taps(talk, reminder)


async def test_a_tap_that_opens_a_dialogue_leaves_the_message_to_be_answered(
    talk: Talk, visits: Visits
) -> None:
    reminder = await perhaps_arrives(talk, about="A2")
    assert "改到哪天" in await taps(talk, reminder, "move", "改期")
    assert await state_of(talk, reminder) == ("read", True)
    await talk.says("取消")
    assert await talk.says("1") == "好的，骨科就诊提醒，等您来。"


@pytest.mark.parametrize("state", IN_DOUBT)
async def test_a_bare_digit_is_asked_about_and_then_counts(talk: Talk, visits: Visits, state: str) -> None:
    reminder = await perhaps_arrives(talk, state=state)
    assert await talk.says("1") == "您回的“1”是答哪一个？\n1、心内科就诊提醒：会到\n请回复前面的数字。"
    assert visits.did == []
    assert (await state_of(talk, reminder))[0] == state
    assert await talk.says("1") == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]
    assert await state_of(talk, reminder) == ("read", False)


async def test_beside_a_message_that_surely_arrived_both_may_be_meant(talk: Talk, visits: Visits) -> None:
    await perhaps_arrives(talk, about="A2")
    await arrives(talk)
    assert "1、心内科就诊提醒：会到\n2、骨科就诊提醒：会到" in await talk.says("1")
    assert await talk.says("2") == "好的，骨科就诊提醒，等您来。"
    assert visits.did == ["come A2"]


async def test_a_digit_none_of_its_lines_has_is_not_about_it(talk: Talk) -> None:
    await perhaps_arrives(talk)
    assert "心内科" not in await talk.says("5")


async def test_a_later_question_of_ours_keeps_its_digits(talk: Talk, visits: Visits) -> None:
    await perhaps_arrives(talk)
    assert "请选座位" in await talk.walk("喝茶", "1")
    assert visits.did == []


@pytest.mark.parametrize("state", ["queued", "failed", "cancelled"])
async def test_a_message_that_surely_was_not_sent_waits_for_nothing(talk: Talk, state: str) -> None:
    reminder = await perhaps_arrives(talk)
    await talk.ground.db.execute(
        """
        UPDATE outbox SET state = $2, perhaps = false, attempted_at = NULL,
                          settled_at = CASE WHEN $2 <> 'queued' THEN now() END
        WHERE id = $1
        """,
        reminder,
        state,
    )
    assert "心内科" not in await talk.says("1")
    assert "已经答过了，或者已经不算了" in await taps(talk, reminder)


async def test_a_tap_after_its_visit_changed_is_told_so_and_was_read(talk: Talk, visits: Visits) -> None:
    reminder = await perhaps_arrives(talk)
    await changes(talk, "A1")
    assert "心内科" not in await talk.says("1")
    assert await taps(talk, reminder) == "这次就诊已经改期或取消了，请看“我的预约”。"
    assert visits.did == []
    assert (await state_of(talk, reminder))[0] == "read"


async def test_a_tap_after_its_time_is_told_so(talk: Talk, visits: Visits) -> None:
    reminder = await perhaps_arrives(talk)
    await ends(talk, reminder)
    assert await taps(talk, reminder) == "这次就诊已经过了时间，请看“我的预约”。"
    assert visits.did == []


async def test_a_tap_on_what_perhaps_reached_somebody_else_says_nothing(talk: Talk, visits: Visits) -> None:
    other = talk.another("o-uncle")
    foreign = await perhaps_arrives(talk)
    assert "心内科" not in await taps(other, foreign)
    assert await state_of(talk, foreign) == ("unknown", True)
    assert visits.did == []
