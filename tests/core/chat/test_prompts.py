"""A digit goes to the one open thing; where two may be meant we ask which, and never guess (design 8)."""

import pytest

from tests.core.chat.surgery import (
    Visits,
    arrives,
    state_of,
)
from tests.demo.test_widths import BUBBLE, width
from tests.support.talk import Talk


@pytest.fixture
def talk(patient: Talk) -> Talk:
    return patient


@pytest.mark.parametrize("said", ["1", "１", "一", "1.", "①", "1️⃣", "选1", "第一个"])
async def test_a_digit_answers_the_only_thing_that_is_open(talk: Talk, visits: Visits, said: str) -> None:
    reminder = await arrives(talk)
    assert await talk.says(said) == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]
    assert await state_of(talk, reminder) == ("read", False)


async def test_an_answered_message_waits_for_no_further_digit(talk: Talk, visits: Visits) -> None:
    await arrives(talk)
    await talk.says("1")
    assert "现在没有要选的" in await talk.says("1")
    assert visits.did == ["come A1"]


async def test_a_digit_that_no_line_has_is_told_the_lines(talk: Talk, visits: Visits) -> None:
    await arrives(talk)
    assert await talk.says("5") == "您回的是“5”，没有这一项。\n心内科就诊提醒：\n1、会到\n2、改期"
    assert await talk.says("1") == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]


async def test_a_digit_that_no_line_of_several_messages_has(talk: Talk) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    assert await talk.says("5") == (
        "您回的是“5”，没有这一项。\n心内科就诊提醒：1 会到，2 改期\n停水通知：1 收到"
    )


async def test_zero_is_still_the_way_to_a_person(talk: Talk) -> None:
    await arrives(talk)
    assert "请把话留给伙计" in await talk.says("0")


async def test_an_option_may_open_a_dialogue_that_knows_what_it_is_about(talk: Talk, visits: Visits) -> None:
    reminder = await arrives(talk, about="A2")
    assert "改到哪天" in await talk.says("2")  # and not 要改哪一个
    assert await state_of(talk, reminder) == ("read", True)
    talk.later(seconds=1)
    assert "A2 A2-tue" in await talk.says("2")  # the dialogue's own question is newer than the reminder
    assert "改好了" in await talk.says("1")
    assert visits.did == ["move A2 A2-tue"]
    assert (await state_of(talk, reminder))[1] is False


async def test_it_is_about_this_visit_even_where_another_is_the_only_one_listed(
    talk: Talk, visits: Visits
) -> None:
    visits.there = ["A1"]
    await arrives(talk, about="A2")
    await talk.says("2")
    assert "A2 A2-mon" in await talk.says("1")


async def test_who_thinks_better_of_a_dialogue_may_answer_otherwise(talk: Talk, visits: Visits) -> None:
    await arrives(talk)
    await talk.walk("2", "取消")
    assert await talk.says("1") == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]


# --- clashes ---


async def test_a_reminder_that_came_after_an_open_list_is_asked_about(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    await arrives(talk)
    assert await talk.says("1") == (
        "您回的“1”是答哪一个？\n1、心内科就诊提醒：会到\n2、喝茶：靠窗\n请回复前面的数字。"
    )
    assert visits.did == []
    heard = await talk.says("1")
    assert heard.startswith("好的，心内科就诊提醒，等您来。\n\n—— 接着办刚才的“喝茶”：")
    assert visits.did == ["come A1"]
    assert "靠窗" in heard
    assert "龙井" in await talk.says("1")  # 靠窗 it is: the reminder is answered


async def test_and_the_other_line_leads_to_the_list(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    await arrives(talk)
    assert "龙井，院子" in await talk.says("3")  # only the list has three lines: nothing to ask about
    await talk.says("返回")
    reminder = await arrives(talk, about="A2")
    assert "1、骨科就诊提醒：改期\n2、喝茶：里间" in await talk.says("2")
    assert "龙井，里间" in await talk.says("2")
    assert visits.did == []
    assert await state_of(talk, reminder) == ("accepted", True)


async def test_what_was_asked_last_is_what_people_answer(talk: Talk, visits: Visits) -> None:
    """A prompt older than the open question does not compete with it."""
    await arrives(talk)
    await talk.says("喝茶")
    assert "请选座位" in await talk.says("1")
    assert visits.did == []


async def test_a_receipt_and_a_reminder_are_told_apart(talk: Talk, visits: Visits) -> None:
    news = await arrives(talk, "news", "N1")
    await arrives(talk)
    assert await talk.says("1") == (
        "您回的“1”是答哪一个？\n1、心内科就诊提醒：会到\n2、停水通知：收到\n请回复前面的数字。"
    )
    assert await talk.says("2") == "收到了，谢谢。"
    assert await state_of(talk, news) == ("read", False)
    assert await talk.says("1") == "好的，心内科就诊提醒，等您来。"  # the one that is left
    assert visits.did == ["come A1"]


async def test_only_the_reminder_has_a_second_line(talk: Talk) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    assert "改到哪天" in await talk.says("2")


@pytest.mark.parametrize(("answer", "heard"), [("1", "好的，心内科"), ("2", "收到了"), ("3", "龙井，靠窗")])
async def test_reminder_receipt_and_an_open_list_at_once(talk: Talk, answer: str, heard: str) -> None:
    await talk.walk("喝茶", "龙井")
    await arrives(talk, "news", "N1")
    await arrives(talk)
    assert "1、心内科就诊提醒：会到\n2、停水通知：收到\n3、喝茶：靠窗" in await talk.says("1")
    assert (await talk.says(answer)).startswith(heard)


async def test_two_messages_of_one_title_are_told_apart_by_their_time(talk: Talk) -> None:
    await arrives(talk, "news", "N1")
    talk.later(minutes=20)
    await arrives(talk, "news", "N2")
    assert "1、09:20 停水通知：收到\n2、09:00 停水通知：收到" in await talk.says("1")


async def test_the_question_which_one_may_be_answered_in_its_words(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    assert await talk.says("就诊提醒") == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]


async def test_a_number_that_is_neither_is_asked_again(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    again = await talk.says("7")
    assert again.startswith("您回复的是“7”，没有这一项。请回复 1–2。\n\n您回的“1”是答哪一个？")
    assert await talk.says("1") == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]


async def test_other_words_leave_the_question_which_one(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    assert "龙井" in await talk.says("喝茶")
    await talk.says("1")
    assert visits.did == []


async def test_a_tap_on_the_menu_leaves_the_question_which_one_too(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    await talk.taps("TEA")
    assert "请选座位" in await talk.says("1")
    assert visits.did == []


async def test_the_question_which_one_fits_a_bubble(talk: Talk) -> None:
    """Six lines of thirteen characters, with as many messages as can wait."""
    await talk.walk("喝茶", "龙井")
    for kind, about in (("news", "N1"), ("visit", "A1"), ("visit", "A2")):
        await arrives(talk, kind, about)
    lines = (await talk.says("1")).splitlines()
    assert len(lines) == 6
    assert max(map(width, lines)) <= BUBBLE


async def test_a_third_message_while_we_ask_which_is_no_guess_either(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    await arrives(talk, about="A2")
    assert "1、骨科就诊提醒：会到\n2、心内科就诊提醒：会到\n3、停水通知：收到" in await talk.says("1")
    assert await talk.says("2") == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]


async def test_a_question_which_one_that_did_not_arrive_is_repeated(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    await talk.lose_reply()
    assert "没有送到" in await talk.says("1")
    assert visits.did == []
    assert "等您来" in await talk.says("1")


async def test_a_list_that_did_not_arrive_is_not_what_a_digit_answers(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    await talk.lose_reply()
    await arrives(talk)
    assert (await talk.says("1")).startswith("好的，心内科就诊提醒，等您来。\n\n—— 接着办刚才的“喝茶”：")
    assert visits.did == ["come A1"]


async def test_after_a_long_silence_the_digit_is_for_the_reminder(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    talk.later(hours=3)
    await arrives(talk)
    heard = await talk.says("1")
    assert heard.startswith("好的，心内科就诊提醒，等您来。")
    assert "您刚才的“喝茶”还没有办完，要继续吗？" in heard
    assert visits.did == ["come A1"]


async def test_a_number_for_an_open_text_question_is_asked_about(talk: Talk, visits: Visits) -> None:
    await talk.walk("订包间", "明天")
    await arrives(talk)
    assert "1、心内科就诊提醒：会到\n2、订包间\n" in await talk.says("1")
    assert "11-24 1，订包间吗" in await talk.says("2")  # it is the name
    assert visits.did == []


async def test_a_reminder_that_came_after_we_asked_whether_to_go_on(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    talk.later(hours=1)
    await talk.says("嗯")
    await arrives(talk)
    assert "1、心内科就诊提醒：会到\n2、喝茶：继续" in await talk.says("1")
    assert "靠窗" in await talk.says("2")
    assert visits.did == []
