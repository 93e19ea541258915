"""An answer to a message of ours: by a tap, too late, only once, and what it costs."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest

from core.chat.events import Kind, MenuTap
from tests.core.chat.surgery import Counted, Visits, arrives, changes, digit, ends, surgery_with, taps
from tests.core.chat.teahouse import Kitchen
from tests.support.talk import Ground, Talk


@pytest.fixture
def talk(patient: Talk) -> Talk:
    return patient


# --- taps ---


async def test_a_tap_names_its_message_and_is_not_asked_about(talk: Talk, visits: Visits) -> None:
    await arrives(talk)
    other = await arrives(talk, about="A2")
    first = await arrives(talk, "news", "N1")
    assert await taps(talk, first, "got", "收到") == "收到了，谢谢。"
    assert await taps(talk, other) == "好的，骨科就诊提醒，等您来。"
    assert visits.did == ["come A2"]


async def test_a_tap_during_an_open_list_answers_and_goes_back_to_the_list(
    talk: Talk, visits: Visits
) -> None:
    await talk.walk("喝茶", "龙井")
    reminder = await arrives(talk)
    heard = await taps(talk, reminder)
    assert heard.startswith("好的，心内科就诊提醒，等您来。\n\n—— 接着办刚才的“喝茶”：")
    assert visits.did == ["come A1"]
    assert "靠窗" in await talk.says("1")


async def test_a_dialogue_opened_in_the_middle_of_another_goes_back_to_it(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    reminder = await arrives(talk)
    assert "改到哪天" in await taps(talk, reminder, "move", "改期")
    heard = await talk.walk("1", "1")
    assert "改好了" in heard
    assert "接着办刚才的“喝茶”" in heard
    assert visits.did == ["move A1 A1-mon"]


async def test_a_second_tap_is_told_that_it_was_answered(talk: Talk, visits: Visits) -> None:
    reminder = await arrives(talk)
    await taps(talk, reminder)
    assert "已经答过" in await taps(talk, reminder)
    assert visits.did == ["come A1"]


async def test_a_visit_that_changes_while_it_is_answered_is_not_confirmed(talk: Talk, visits: Visits) -> None:
    await arrives(talk)
    visits.meanwhile = partial(changes, talk, "A1")
    assert await talk.says("1") == "这条您已经答过了，或者已经不算了。"
    assert visits.did == []


async def test_a_tap_on_somebody_else_s_message_says_nothing_of_it(talk: Talk, visits: Visits) -> None:
    other = talk.another("o-uncle")
    foreign = await arrives(talk, conversation=other.conversation)
    heard = await taps(talk, foreign)
    assert "心内科" not in heard
    assert visits.did == []


@pytest.mark.parametrize("menu", ["77", "x:y", "9" * 40 + ":come", ":come"])
async def test_a_tap_that_is_none_of_ours_is_its_words(talk: Talk, menu: str) -> None:
    assert "龙井" in await talk.sends(Kind.TEXT, text="喝茶", detail=MenuTap(menu_id=menu))


# --- too late ---


async def test_a_digit_after_its_time_is_told_so(talk: Talk, visits: Visits) -> None:
    reminder = await arrives(talk)
    await ends(talk, reminder)
    assert await talk.says("1") == "这次就诊已经过了时间，请看“我的预约”。"
    assert await taps(talk, reminder) == "这次就诊已经过了时间，请看“我的预约”。"
    assert visits.did == []


async def test_a_digit_after_the_visit_was_cancelled_is_told_so(talk: Talk, visits: Visits) -> None:
    reminder = await arrives(talk)
    await changes(talk, "A1")
    assert await talk.says("1") == "这次就诊已经改期或取消了，请看“我的预约”。"
    assert await taps(talk, reminder) == "这次就诊已经改期或取消了，请看“我的预约”。"
    assert visits.did == []


async def test_a_domain_without_words_of_its_own_for_that(talk: Talk) -> None:
    news = await arrives(talk, "news", "N1")
    await ends(talk, news)
    assert (await talk.says("1")).startswith("“停水通知”已经过了时间，这次回复不算。\n要办什么请直接说")


async def test_what_counts_no_more_leaves_the_open_list_its_digits(talk: Talk, visits: Visits) -> None:
    await talk.walk("喝茶", "龙井")
    reminder = await arrives(talk)
    await changes(talk, "A1")
    assert "靠窗" in await talk.says("1")
    assert "接着办刚才的“喝茶”" in await taps(talk, reminder)
    assert visits.did == []


async def test_it_may_change_while_we_ask_which(talk: Talk, visits: Visits) -> None:
    await arrives(talk, "news", "N1")
    await arrives(talk)
    await talk.says("1")
    await changes(talk, "A1")
    assert "改期或取消" in await talk.says("1")
    assert visits.did == []


# --- once ---


async def test_a_digit_that_wechat_pushes_three_times_acts_once(talk: Talk, visits: Visits) -> None:
    await arrives(talk)
    event = digit(talk)
    said = await asyncio.gather(*(talk.attempt(event) for _ in range(3)))
    assert {each.text for each in said if each} == {"好的，心内科就诊提醒，等您来。"}
    assert visits.did == ["come A1"]


async def test_two_answers_in_two_processes_are_one(
    talk: Talk, ground: Ground, kitchen: Kitchen, visits: Visits
) -> None:
    reminder = await arrives(talk)
    other = Talk(ground, surgery_with(kitchen, visits))
    detail = MenuTap(menu_id=f"{reminder}:come")
    taps = [each.event(Kind.TEXT, text="会到", detail=detail) for each in (talk, other)]
    one, two = await asyncio.gather(talk.attempt(taps[0]), other.attempt(taps[1]))
    assert one is not None
    assert two is not None
    said = sorted((one.text, two.text), key=len)
    assert said[0] == "好的，心内科就诊提醒，等您来。"
    assert "已经答过" in said[1]
    assert visits.did == ["come A1"]
    await other.dispatcher.drain()


async def test_an_answer_whose_process_died_is_given_again_and_done_once(talk: Talk, visits: Visits) -> None:
    """Its claim is gone, the effect is not; and what arrived since does not change what the digit meant."""
    await arrives(talk)
    first = await talk.says("1")
    await talk.ground.redis.client.flushall()
    await arrives(talk, about="A2")
    assert await talk.repeats() == first
    assert visits.did == ["come A1"]


async def test_what_which_one_led_to_is_done_once_though_its_process_died(talk: Talk, visits: Visits) -> None:
    """The 2 said which message was meant; it is no 2 to that message."""
    await arrives(talk)
    await arrives(talk, "news", "N1")
    await talk.says("1")
    first = await talk.says("2")
    await talk.ground.redis.client.flushall()
    assert await talk.repeats() == first == "好的，心内科就诊提醒，等您来。"
    assert visits.did == ["come A1"]


async def test_a_handler_without_changes_of_its_own_is_answered_again_too(talk: Talk) -> None:
    await arrives(talk, "news", "N1")
    first = await talk.says("1")
    await talk.ground.redis.client.flushall()
    assert await talk.repeats() == first


# --- what it costs ---


@pytest.fixture
async def counted(ground: Ground, kitchen: Kitchen, visits: Visits, db_url: str) -> AsyncIterator[Talk]:
    """A talk whose PostgreSQL counts how often it is asked."""
    counting = await Counted.open(db_url)
    talk = Talk(replace(ground, db=counting), surgery_with(kitchen, visits))
    yield talk
    await talk.dispatcher.drain()
    await counting.close()


async def cost(talk: Talk, *messages: str) -> list[int]:
    """How often PostgreSQL was asked for each of these."""
    counting, costs = talk.ground.db, []
    assert isinstance(counting, Counted)
    for message in messages:
        before = counting.asked
        await talk.says(message)
        costs.append(counting.asked - before)
    return costs


async def test_no_message_with_words_looks_at_the_prompts(counted: Talk) -> None:
    await arrives(counted)
    assert await cost(counted, "你好", "喝茶", "选龙井", "返回", "更多", "选2", "今天天气好") == [0] * 7
    assert await cost(counted, "取消", "2小时后来", "25号", "13812345678", "0") == [0] * 5


async def test_a_digit_that_answers_an_open_question_costs_one_look(counted: Talk) -> None:
    assert await cost(counted, "喝茶", "1", "２", "二") == [0, 1, 1, 1]


async def test_a_digit_that_answers_a_message_costs_the_look_and_its_effect(counted: Talk) -> None:
    await arrives(counted, "news", "N1")
    assert await cost(counted, "1") == [2]
