"""What a message means here and now: global words, digits, long silences, deploys, two dialogues."""

import dataclasses

import pytest

from core.chat.events import Kind
from core.chat.router import Router
from core.chat.sessions import Answer, Frame, Option, Question, Session
from tests.core.chat.teahouse import Kitchen, bot_with
from tests.core.chat.teahouse import router as teahouse
from tests.support.talk import Talk


def _without(*handlers: str, renamed: dict[str, str] | None = None) -> Router:
    """The tea house after a deploy: without these handlers, or with them under other names."""
    router = Router("teahouse")
    for route in teahouse.routes():
        name = route.handler.__name__
        if name in handlers:
            continue
        router._routes.append(dataclasses.replace(route, domain=(renamed or {}).get(name, route.domain)))
    return router


async def test_a_menu_tap_opens_what_the_word_opens(talk: Talk) -> None:
    assert await talk.taps("TEA") == await talk.another("o-other").says("喝茶")


async def test_a_menu_button_tapped_twice_only_shows_the_question_again(talk: Talk) -> None:
    assert await talk.taps("TEA") == await talk.taps("TEA")
    assert "请选座位" in await talk.says("1")


async def test_an_unknown_menu_key_says_so_and_goes_back_to_the_question(talk: Talk) -> None:
    assert "您是不是要" in await talk.taps("OLD_BUTTON")
    await talk.says("喝茶")
    reply = await talk.taps("OLD_BUTTON")
    assert "接着办刚才的“喝茶”" in reply
    assert "1、龙井" in reply


async def test_nobody_understood_and_the_nearest_two_can_be_picked_by_number(talk: Talk) -> None:
    reply = await talk.says("我要订一个包间")
    assert "1、订包间" in reply
    assert "3 " not in reply
    assert "哪一天来" in await talk.says("1")


async def test_offers_grow_old(talk: Talk) -> None:
    await talk.says("我要订一个包间")
    talk.later(minutes=16)
    assert "没有要选的" in await talk.says("1")


async def test_offers_that_were_never_seen_are_not_picked(talk: Talk) -> None:
    await talk.says("我要订一个包间")
    await talk.lose_reply()
    assert "没有要选的" in await talk.says("1")


async def test_an_answer_in_passing_comes_back_to_the_question(talk: Talk) -> None:
    await talk.walk("喝茶", "9")
    reply = await talk.says("你好")
    assert reply.index("茶馆欢迎您") < reply.index("接着办刚才的“喝茶”") < reply.index("请选茶")
    assert "茶单" not in reply
    assert "1、白茶" in reply


async def test_a_word_with_something_behind_it_opens_at_a_choice_but_not_at_a_text_question(
    talk: Talk,
) -> None:
    await talk.says("喝茶")
    assert "从东门到西门不远" in await talk.says("东门到西门多远")
    await talk.walk("订包间", "明天")
    assert "东门到西门多远，订包间吗" in await talk.says("东门到西门多远")
    await talk.walk("8")
    assert "喝茶的老王，订包间吗" in await talk.says("喝茶的老王")
    await talk.walk("8")
    assert "请选茶" in await talk.says("喝茶")


async def test_an_option_goes_before_a_word_that_opens_something(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.seats = [dataclasses.replace(kitchen.seats[0], label="活动"), kitchen.seats[1]]
    await talk.walk("喝茶", "1")
    assert "要上茶吗" in await talk.says("活动")


async def test_an_option_called_other_goes_before_the_next_page(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.seats[2] = dataclasses.replace(kitchen.seats[2], label="其他")
    await talk.walk("喝茶", "1")
    assert "龙井，其他，要上茶吗" in await talk.says("其他")


async def test_the_opening_word_said_again_before_a_number_does_not_begin_anew(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    assert "龙井，里间，要上茶吗" in await talk.says("喝茶第二个")


async def test_the_opening_word_with_another_wish_begins_anew(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    assert "请选座位" in await talk.says("喝茶普洱")
    assert "普洱" in await talk.says("1")


@pytest.mark.parametrize("said", ["0", "人工", "零", "按0", "我要人工"])
async def test_a_person_can_be_asked_for_at_a_choice_and_the_choice_is_kept(talk: Talk, said: str) -> None:
    await talk.walk("喝茶", "1")
    assert "请把话留给伙计" in await talk.says(said)
    reply = await talk.says("茶太烫")
    assert reply.index("伙计听到了：茶太烫") < reply.index("接着办刚才的“喝茶”") < reply.index("请选座位")
    assert "龙井，靠窗" in await talk.says("1")


async def test_two_dialogues_on_one_another_have_their_own_runs(talk: Talk) -> None:
    await talk.walk("喝茶", "1", "人工")
    frames = (await talk.session()).frames
    assert [frame.dialogue for frame in frames] == ["teahouse.order_tea", "teahouse.waiter"]
    assert frames[0].run != frames[1].run
    assert frames[1].run == f"{talk.last_event.id}/teahouse.waiter"


async def test_a_third_dialogue_pushes_out_the_oldest(talk: Talk) -> None:
    await talk.walk("喝茶", "订包间", "明天", "人工", "你好", "水开了")
    assert "订包间" in (talk.said.text if talk.said else "")
    assert [frame.dialogue for frame in (await talk.session()).frames] == ["teahouse.book_room"]


async def test_back_goes_back_one_question_at_a_time_and_says_where_it_ends(talk: Talk) -> None:
    await talk.walk("喝茶", "1", "1")
    assert "请选座位" in await talk.says("返回")
    assert "请选茶" in await talk.says("8")
    reply = await talk.says("上一步")
    assert "第一步" in reply
    assert "请选茶" in reply


async def test_back_at_the_first_question_of_an_inner_dialogue_leaves_it(talk: Talk) -> None:
    await talk.walk("喝茶", "人工")
    reply = await talk.says("返回")
    assert "人工" in reply
    assert "请选茶" in reply


async def test_back_stops_at_a_finished_effect(talk: Talk) -> None:
    reply = await talk.walk("订包间", "明天", "王小明", "确认")
    assert "还有什么要求" in reply
    reply = await talk.says("返回")
    assert "已经办好了，不能再返回" in reply
    assert "还有什么要求" in reply


async def test_cancel_after_a_finished_effect_does_not_say_that_nothing_was_done(talk: Talk) -> None:
    await talk.walk("订包间", "明天", "王小明", "确认")
    reply = await talk.says("取消")
    assert "仍然有效" in reply
    assert "没有办理" not in reply


async def test_cancel_without_anything_open_is_an_ordinary_word(talk: Talk) -> None:
    assert "没有听明白" in await talk.says("取消")


# --- red flags ---

STATES = {
    "nothing open": (),
    "a choice": ("喝茶",),
    "a confirmation": ("喝茶", "1", "1"),
    "a date": ("订包间",),
    "a text": ("订包间", "明天"),
    "a place": ("报失",),
    "two dialogues": ("喝茶", "人工"),
    "an offer": ("我要订一个包间",),
}


@pytest.mark.parametrize("state", STATES)
async def test_red_flags_are_heard_in_every_state(talk: Talk, kitchen: Kitchen, state: str) -> None:
    await talk.walk(*STATES[state])
    reply = await talk.says("我胸口很痛，1")
    assert reply.index("120") < reply.index("急诊")
    assert "请选" not in reply
    assert (await talk.session()).frames == []
    assert "没有要选的" in await talk.says("1")
    assert kitchen.poured == []


async def test_red_flags_are_heard_after_a_long_silence_and_in_speech(talk: Talk) -> None:
    await talk.says("喝茶")
    talk.later(minutes=16)
    assert "120" in await talk.speaks("喘不上气。")


async def test_a_crisis_gives_the_configured_hotline(talk: Talk) -> None:
    reply = await talk.says("活着没意思")
    assert "12356" in reply


async def test_a_denied_symptom_goes_the_ordinary_way(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    assert "订包间吗" in await talk.says("没有胸痛")


# --- not shown, deploys, unfollowing ---


@pytest.mark.parametrize("answer", ["1", "龙井", "8", "9", "嗯"])
async def test_a_question_that_was_not_seen_is_repeated_not_answered(talk: Talk, answer: str) -> None:
    await talk.says("喝茶")
    await talk.lose_reply()
    reply = await talk.says(answer)
    assert "刚才的回复没有送到" in reply
    assert "请选茶" in reply
    assert "请选座位" in await talk.says("1")


async def test_a_place_that_answers_an_unseen_question_is_no_answer(talk: Talk) -> None:
    await talk.says("报失")
    await talk.lose_reply()
    assert "刚才的回复没有送到" in await talk.sends_place()
    assert "拍一张照片" in await talk.sends_place()


async def test_a_word_that_opens_something_does_so_though_the_question_was_not_seen(talk: Talk) -> None:
    await talk.says("喝茶")
    await talk.lose_reply()
    assert "哪一天来" in await talk.says("订包间")


async def test_silence_shows_no_question(talk: Talk) -> None:
    """A scan nobody answers must not make an unseen question count as seen."""
    await talk.says("喝茶")
    await talk.lose_reply()
    assert await talk.sends(Kind.SCAN) == ""
    assert "刚才的回复没有送到" in await talk.says("1")


async def test_a_picture_in_reply_shows_no_question_either(talk: Talk) -> None:
    await talk.says("喝茶")
    await talk.lose_reply()
    await talk.says("看图")
    assert talk.said is not None
    assert (talk.said.type, talk.said.media_id) == ("image", "media-1")
    assert "刚才的回复没有送到" in await talk.says("1")


async def test_a_deploy_that_renamed_a_question_asks_again(talk: Talk) -> None:
    await talk.walk("喝茶", "1", "1")
    session = await talk.session()
    frame = session.frames[0]
    frame.answers = {"leaf": frame.answers["tea"], "seat": frame.answers["seat"]}
    await talk.keep(session)
    talk.restart()
    assert "请选茶" in await talk.says("1")
    assert "请选座位" in await talk.says("2")  # what was chosen for another tea does not count any more
    assert "碧螺春，靠窗，要上茶吗" in await talk.says("1")


@pytest.mark.parametrize(
    ("before", "asked_anew"), [((), "请选茶"), (("1",), "请选座位"), (("1", "1"), "要上茶吗")]
)
async def test_an_open_question_that_a_deploy_renamed_takes_no_answer_and_is_asked_anew(
    talk: Talk, kitchen: Kitchen, before: tuple[str, ...], asked_anew: str
) -> None:
    """Its options may mean something else now: a 1 to the old name settles nothing, least of all a yes."""
    await talk.walk("喝茶", *before)
    session = await talk.session()
    question = session.frames[0].open
    assert question is not None
    question.key = "another_name"
    await talk.keep(session)
    talk.restart()
    assert asked_anew in await talk.says("1")
    assert kitchen.poured == []
    await talk.walk(*["1"] * (3 - len(before)))
    assert len(kitchen.poured) == 1, "from there it goes on as ever"


async def test_a_deploy_that_changed_the_kind_of_a_question_asks_again(talk: Talk) -> None:
    await talk.keep(_kept("teahouse.book_room", {"day": Answer("choice", "d-1")}, Question("name", "text")))
    assert "哪一天来" in await talk.says("王小明")


async def test_an_open_question_of_another_kind_takes_no_answer(talk: Talk) -> None:
    open_ = Question("name", "choice", [Option("n-1", "老王")])
    await talk.keep(_kept("teahouse.book_room", {"day": Answer("date", "2026-11-24")}, open_))
    assert "贵姓" in await talk.says("1")


def _kept(dialogue: str, answers: dict[str, Answer], question: Question) -> Session:
    seen_at = 1_795_395_600  # 2026-11-23 09:00 in the city
    return Session(frames=[Frame(dialogue, "run", answers, question)], seen_at=seen_at)


async def test_a_deploy_that_removed_the_dialogue_says_so(talk: Talk, kitchen: Kitchen) -> None:
    await talk.walk("喝茶", "1")
    talk.restart(bot_with(kitchen, _without("order_tea")))
    assert "已经调整" in await talk.says("1")
    assert "没有要选的" in await talk.says("1")


async def test_a_deploy_that_removed_the_inner_dialogue_takes_no_answer_for_the_outer(
    talk: Talk, kitchen: Kitchen
) -> None:
    await talk.walk("喝茶", "订包间")
    talk.restart(bot_with(kitchen, _without("book_room")))
    reply = await talk.says("1")
    assert "已经调整" in reply
    assert "请选茶" in reply
    assert "请选座位" in await talk.says("1")


@pytest.mark.parametrize("said", ["取消", "在吗", "1"])
async def test_after_a_silence_a_removed_dialogue_is_not_named_by_its_inner_name(
    talk: Talk, kitchen: Kitchen, said: str
) -> None:
    await talk.walk("喝茶", "1")
    talk.restart(bot_with(kitchen, _without("order_tea")))
    talk.later(minutes=16)
    assert "order_tea" not in await talk.says(said)


async def test_who_leaves_takes_the_open_dialogue_along(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    assert await talk.sends(Kind.UNSUBSCRIBE) == ""
    assert await talk.session() == Session(seen_at=(await talk.session()).seen_at)
    assert "茶馆欢迎您" in await talk.sends(Kind.SUBSCRIBE)


async def test_small_notes_last_as_long_as_the_session(talk: Talk) -> None:
    assert f"citizen-of-{talk.conversation} 第 1 次" in await talk.says("到店")
    talk.restart()
    assert "第 2 次" in await talk.says("到店")


async def test_empty_and_strange_texts_are_answered(talk: Talk) -> None:
    for said in (
        "",
        " ",
        "。",
        "？？？",
        "[微笑]",
        "👍",
        "\u200b",
        "a" * 3000,
        "<a href=x>",
        "{{ 1 }}",
        "\x00",
    ):
        reply = await talk.says(said)
        assert reply
        assert "系统繁忙" not in reply
        assert "<a" not in reply
