"""At every question of every dialogue: restart, 取消, 返回, menu words, taps, whatever people send."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.chat.events import Kind
from tests.support.talk import Talk

WAYS = {
    "喝茶": ("喝茶", "9", "2", "1", "确认"),
    "订包间": ("订包间", "明天", "王小明", "确认", "多放糖"),
    "报失": ("报失", "!place", "!photo"),
    "人工": ("人工", "水开了"),
    "寄茶": ("寄龙井到北京", "好的"),
    "两层": ("喝茶", "1", "人工", "水开了", "1", "确认"),
}
everywhere = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
_people = itertools.count()


async def _act(talk: Talk, message: str) -> str:
    acts: dict[str, Callable[[], Awaitable[str]]] = {
        "!place": talk.sends_place,
        "!photo": talk.sends_photo,
        "!tap": lambda: talk.taps("TEA"),
        "!mute": lambda: talk.speaks(""),
        "!video": lambda: talk.sends(Kind.VIDEO),
        "!scan": lambda: talk.sends(Kind.SCAN),
    }
    return await acts[message]() if message in acts else await talk.says(message)


async def _go(talk: Talk, way: tuple[str, ...]) -> str:
    reply = ""
    for message in way:
        reply = await _act(talk, message)
    return reply


@everywhere
async def test_a_restart_between_any_two_turns_changes_nothing(talk: Talk, way: tuple[str, ...]) -> None:
    straight, broken = talk.another("o-straight"), talk.another("o-broken")
    for message in way:
        broken.restart()
        said, again = await _act(straight, message), await _act(broken, message)
        assert _but_numbers(said) == _but_numbers(again)


def _but_numbers(reply: str) -> str:
    return reply.split("cup-", maxsplit=1)[0]


async def _somewhere(talk: Talk, way: tuple[str, ...]) -> AsyncIterator[tuple[Talk, str]]:
    """Bring one citizen to each point of a way: the citizen, and what was asked there."""
    for length in range(1, len(way)):
        person = talk.another(f"o-{next(_people)}")
        yield person, await _go(person, way[:length])


@everywhere
async def test_cancel_ends_the_dialogue_at_any_point(talk: Talk, way: tuple[str, ...]) -> None:
    async for person, _ in _somewhere(talk, way):
        before = len((await person.session()).frames)
        assert "停下" in (reply := await person.says("取消")) or "仍然有效" in reply
        assert len((await person.session()).frames) == before - 1


@everywhere
async def test_back_at_any_point_comes_to_the_first_question_or_to_an_effect(
    talk: Talk, way: tuple[str, ...]
) -> None:
    async for person, _ in _somewhere(talk, way):
        for _step in range(8):
            reply = await person.says("返回")
            assert reply
            if "第一步" in reply or "不能再返回" in reply:
                break
        else:
            pytest.fail("返回 never came to an end")


@everywhere
@pytest.mark.parametrize(
    "word", ["你好", "到店时间", "龙井呢", "0" * 3, "!tap", "!mute", "!video", "!scan", "茶单"]
)
async def test_any_word_at_any_point_is_answered_and_cancel_still_works(
    talk: Talk, way: tuple[str, ...], word: str
) -> None:
    async for person, _ in _somewhere(talk, way):
        reply = await _act(person, word)
        assert "系统繁忙" not in reply
        assert (reply == "") == (word == "!scan")
        for _step in range(2):
            await person.says("取消")
        assert (await person.session()).frames == []


@everywhere
async def test_the_words_of_the_house_do_not_lose_the_open_question(talk: Talk, way: tuple[str, ...]) -> None:
    async for person, asked in _somewhere(talk, way):
        reply = await person.says("你好")
        assert reply.splitlines()[-2:] == asked.splitlines()[-2:]


@everywhere
async def test_the_menu_opens_something_else_at_any_point(talk: Talk, way: tuple[str, ...]) -> None:
    async for person, _ in _somewhere(talk, way):
        assert "哪一天来" in await person.taps("ROOM")
        assert len((await person.session()).frames) <= 2


MESSAGES = st.sampled_from(
    [
        "喝茶",
        "订包间",
        "报失",
        "人工",
        "寄龙井到北京",
        "1",
        "2",
        "3",
        "5",
        "0",
        "7",
        "8",
        "9",
        "确认",
        "不要了",
        "好的",
        "取消",
        "返回",
        "重说",
        "更多",
        "龙井",
        "靠窗",
        "明天",
        "昨天",
        "王小明",
        "你好",
        "茶单",
        "没座位",
        "客满",
        "继续",
        "重新开始",
        "我要第二个",
        "就要龙井",
        "啊？",
        "!place",
        "!photo",
        "!tap",
        "!mute",
        "!video",
        "!scan",
        "不了",
        "不对",
        "我选错了，要第二个",
        "不取消了",
        "上一页",
        "重来",
        "谢谢",
        "!late",
        "!restart",
        "!lost",
    ]
)


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # the way that failed is short enough as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(way=st.lists(MESSAGES, min_size=1, max_size=14))
async def test_whatever_people_send_in_any_order_is_answered_without_a_failure(
    talk: Talk, way: list[str]
) -> None:
    person = talk.another(f"o-{next(_people)}")
    for message in way:
        if message == "!late":
            person.later(minutes=16)
        elif message == "!restart":
            person.restart()
        elif message == "!lost":
            await person.lose_reply()
        else:
            reply = await _act(person, message)
            assert "系统繁忙" not in reply, way
            assert reply or message == "!scan" or (person.said and person.said.type in {"image", "news"}), way
            assert len((await person.session()).frames) <= 2
    for _ in range(2):
        await person.says("取消")
    assert (await person.session()).frames == []
