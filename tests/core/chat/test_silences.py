"""After a long silence the next message is no answer: first we ask whether to go on."""

import pytest

from tests.core.chat.teahouse import Kitchen
from tests.support.talk import Talk


async def test_before_the_limit_an_answer_counts(talk: Talk) -> None:
    await talk.says("喝茶")
    talk.later(minutes=15)
    assert "请选座位" in await talk.says("1")


async def test_after_the_limit_the_next_message_is_no_answer(talk: Talk, kitchen: Kitchen) -> None:
    await talk.walk("喝茶", "1", "1")
    talk.later(minutes=16)
    reply = await talk.says("确认")
    assert "您刚才的“喝茶”还没有办完" in reply
    assert kitchen.poured == []


@pytest.mark.parametrize("said", ["1", "继续", "好的", "要一", "接着办"])
async def test_going_on_reloads_the_open_question(talk: Talk, kitchen: Kitchen, said: str) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    await talk.says("在吗")
    kitchen.taken.add("s-window")
    reply = await talk.says(said)
    assert "1、里间" in reply
    assert "龙井，里间" in await talk.says("1")


@pytest.mark.parametrize("said", ["2", "重新开始", "第二个"])
async def test_beginning_anew_is_a_new_run(talk: Talk, said: str) -> None:
    await talk.walk("喝茶", "1")
    run = (await talk.session()).frames[0].run
    talk.later(minutes=16)
    await talk.says("在吗")
    assert "请选茶" in await talk.says(said)
    assert (await talk.session()).frames[0].run != run


async def test_who_simply_says_go_on_after_the_limit_is_not_asked_whether_to(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    assert "请选座位" in await talk.says("继续")


@pytest.mark.parametrize("said", ["不用了", "算了", "取消"])
async def test_who_does_not_want_to_go_on_is_let_go(talk: Talk, said: str) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    await talk.says("在吗")
    assert "已经停下" in await talk.says(said)
    assert (await talk.session()).frames == []


async def test_after_the_limit_another_service_wins(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    assert "哪一天来" in await talk.says("订包间")
    assert len((await talk.session()).frames) == 1


async def test_after_the_limit_an_answer_in_passing_asks_whether_to_go_on(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    reply = await talk.says("你好")
    assert "茶馆欢迎您" in reply
    assert "1、继续" in reply
    assert "请选座位" in await talk.says("1")


async def test_something_else_keeps_asking_whether_to_go_on(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    for _ in range(3):
        assert "1、继续" in await talk.says("靠窗")
    assert "1、继续" in await talk.sends_photo()
    assert "请选座位" in await talk.says("1")


async def test_a_resume_question_that_was_not_seen_is_not_answered(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    talk.later(minutes=16)
    await talk.says("2")
    await talk.lose_reply()
    assert "1、继续" in await talk.says("2")
    assert "请选座位" in await talk.says("1")


async def test_a_picture_after_the_limit_is_no_answer(talk: Talk) -> None:
    await talk.says("报失")
    talk.later(minutes=16)
    assert "1、继续" in await talk.sends_place()


async def test_words_for_a_text_question_written_after_the_limit_had_to_be_typed_again(talk: Talk) -> None:
    await talk.says("人工")
    talk.later(minutes=16)
    assert "您写的“茶凉了，换一壶”先记下了" in await talk.says("茶凉了，换一壶")
    assert "茶凉了，换一壶" in await talk.says("继续")
    assert (await talk.session()).frames == []


async def test_words_kept_are_checked_like_others(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    talk.later(minutes=16)
    await talk.says("欧阳锋和他的二十个好朋友")
    refused = await talk.says("1")
    assert "太长了" in refused
    assert "贵姓" in refused
    assert "王小明，订包间吗" in await talk.says("王小明")


async def test_words_spoken_in_several_messages_are_kept_together(talk: Talk) -> None:
    await talk.says("人工")
    talk.later(minutes=16)
    await talk.speaks("茶凉了。")
    await talk.says("好的")  # agrees to go on
    assert (await talk.session()).frames == []
    await talk.says("人工")
    talk.later(minutes=16)
    await talk.walk("茶凉了", "换一壶")
    assert "茶凉了\n换一壶" in await talk.says("继续")


@pytest.mark.parametrize("said", ["1", "好的"])
async def test_a_number_or_a_nod_after_the_limit_is_not_kept(talk: Talk, said: str) -> None:
    await talk.says("人工")
    talk.later(minutes=16)
    assert "先记下了" not in await talk.says(said)
    await talk.says("继续")
    assert "茶凉了" in await talk.says("茶凉了")


async def test_who_begins_anew_begins_without_the_words_kept(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    talk.later(minutes=16)
    await talk.walk("王小明", "重新开始", "明天")
    assert "李小红，订包间吗" in await talk.says("李小红")
