"""What digits and the beginnings of messages do depends on the kind of question that is open (design 3)."""

from collections.abc import Awaitable, Callable

import pytest

from tests.demo.test_widths import BUBBLE, width
from tests.support.talk import Talk

Step = Callable[[Talk], Awaitable[str]]


async def _at_the_day(talk: Talk) -> str:
    return await talk.says("订包间")


async def _at_the_place(talk: Talk) -> str:
    return await talk.says("报失")


async def _at_the_picture(talk: Talk) -> str:
    await talk.says("报失")
    return await talk.sends_place()


async def _at_the_name(talk: Talk) -> str:
    await talk.says("订包间")
    return await talk.says("明天")


async def _at_the_list(talk: Talk) -> str:
    await talk.says("喝茶")
    return await talk.says("1")


QUESTIONS = {"date": _at_the_day, "place": _at_the_place, "photo": _at_the_picture}
without_lines = pytest.mark.parametrize("come", QUESTIONS.values(), ids=QUESTIONS)
DIGITS = ("0", "7", "8", "9", "０", "零", "按0", "第八个")
PREFIX, PATTERN, OPENING_PATTERN = "喝茶的老王", "东门到西门多远", "寄龙井到北京"


async def _dialogues(talk: Talk) -> list[str]:
    return [frame.dialogue for frame in (await talk.session()).frames]


@without_lines
async def test_where_no_lines_are_shown_a_digit_is_only_a_digit(talk: Talk, come: Step) -> None:
    for digit in DIGITS:
        person = talk.another(f"o-{digit}")
        asked, before = await come(person), await person.session()

        reply = await person.says(digit)

        assert f"您说的是“{digit}”" in reply, "it was taken as an answer, and is none"
        assert reply.endswith(asked)
        assert "第一步" not in reply
        assert (await person.session()).frames == before.frames


@pytest.mark.parametrize(
    ("come", "named"),
    [
        (_at_the_day, ["取消", "人工"]),
        (_at_the_name, ["返回", "取消", "人工"]),
        (_at_the_place, ["取消", "人工"]),
        (_at_the_picture, ["返回", "取消", "人工"]),
    ],
    ids=["date", "text", "place", "photo"],
)
async def test_the_question_names_the_words_that_lead_out_in_one_line_of_a_phone(
    talk: Talk, come: Step, named: list[str]
) -> None:
    asked = await come(talk)
    last = asked.splitlines()[-1]
    assert last == f"也可以说：{'、'.join(named)}"
    assert width(last) <= BUBBLE
    assert len(asked.splitlines()) <= 6


@without_lines
async def test_there_the_words_themselves_do_it(talk: Talk, come: Step) -> None:
    asked = await come(talk)
    assert await talk.says("重说") == asked
    assert "请把话留给伙计" in await talk.says("人工")
    assert (await talk.says("返回")).endswith(asked), "out of the message to the waiter"
    assert await talk.says("返回") != asked
    assert "停下" in await talk.says("取消")


async def test_control_under_a_list_the_digits_stand_for_the_words(talk: Talk) -> None:
    asked = await _at_the_list(talk)
    assert await talk.says("7") == f"再说一遍：\n\n{asked}"
    assert "请把话留给伙计" in await talk.says("0")
    await talk.says("取消")
    assert "请选茶" in await talk.says("8")
    assert "1、白茶" in await talk.says("9")


@pytest.mark.parametrize("come", [_at_the_day, _at_the_place], ids=["date", "place"])
async def test_at_a_day_or_a_place_the_beginning_of_a_message_opens_nothing(talk: Talk, come: Step) -> None:
    for said in (PREFIX, PATTERN, OPENING_PATTERN):
        person = talk.another(f"o-{said}")
        asked, before = await come(person), await _dialogues(person)

        reply = await person.says(said)

        assert f"您说的是“{said}”" in reply
        assert reply.endswith(asked)
        assert await _dialogues(person) == before


@pytest.mark.parametrize("come", [_at_the_day, _at_the_place], ids=["date", "place"])
async def test_there_a_whole_message_opens_what_it_always_opens(talk: Talk, come: Step) -> None:
    await come(talk)
    assert "请选茶" in await talk.says("喝茶")


@pytest.mark.parametrize("come", [_at_the_list, _at_the_picture], ids=["choice", "photo"])
async def test_control_at_a_list_or_a_picture_beginnings_and_patterns_open(talk: Talk, come: Step) -> None:
    await come(talk)
    assert "从东门到西门不远" in await talk.says(PATTERN)
    assert "龙井 → 北京，寄吗" in await talk.says(OPENING_PATTERN)
