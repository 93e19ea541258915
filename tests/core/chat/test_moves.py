"""Words that stop a dialogue, and the ones that only look like it."""

import pytest

from core.chat.answers import fold
from core.chat.moves import goes_on, instead, is_wrong, keeps, stop_here, stops
from core.chat.sessions import Option, Question

LIST = Question("tea", "choice", [Option("a", "龙井"), Option("b", "不要了")])
CONFIRM = Question("sure", "confirm", [Option("yes", "确认"), Option("no", "不要了")])
OWN_WORDS = Question("sure", "confirm", [Option("yes", "退掉", ("退号",)), Option("no", "保留", ("不退",))])
TEXT = Question("name", "text")

STOPPING = [
    "取消", "取消吧", "我要取消", "都取消", "都取消吧", "全部取消", "算了", "算了吧", "算了，不挂了",
    "那算了", "退出", "停", "停下", "停下来吧", "打住",
    "不挂了", "不看了", "先不挂了", "我不约了", "不办了", "不想看了", "不挂号了", "不约了谢谢",
    "今天先不看了吧",
]  # fmt: skip
GOING_ON = [
    "停水了", "停电", "停诊", "停一下",
    "取消预约", "取消这个号", "不看骨科", "不挂骨科了", "不知道", "不舒服", "不行了", "看了", "取消会怎样",
    "不去了",
    "能不能取消", "还没取消", "怎么取消",
]  # fmt: skip


@pytest.mark.parametrize("said", STOPPING)
def test_many_words_stop(said: str) -> None:
    assert stops(fold(said))


@pytest.mark.parametrize("said", [*GOING_ON, "", "先不挂了" * 500])
def test_a_word_inside_a_sentence_stops_nothing(said: str) -> None:
    assert not stops(fold(said))


@pytest.mark.parametrize(
    ("said", "question", "stopped"),
    [
        ("不", LIST, True),
        ("不用了", LIST, True),
        ("不要了", LIST, False),  # a line of this list is called so
        ("不", TEXT, False),
        ("不挂了", TEXT, True),
        ("不要了", CONFIRM, False),  # a no, which ends it with its own words
        ("算了", CONFIRM, False),
        ("取消", CONFIRM, True),
        ("不挂了", CONFIRM, True),
        ("取消", OWN_WORDS, False),  # to give it back, or to stop giving it back?
        ("不看了", OWN_WORDS, False),
        ("算了", None, True),
        ("不", None, False),
        ("不对", LIST, False),  # one step back
        ("不是的", LIST, False),
        ("选错了", LIST, False),
    ],
)
def test_what_stops_depends_on_the_question(said: str, question: Question | None, stopped: bool) -> None:
    assert stop_here(fold(said), question) is stopped


@pytest.mark.parametrize(
    "said", ["不对", "不是。", "错了", "选错了", "我选错了", "不对，选错了", "刚才点错了", "不是不是"]
)
def test_a_mistake_is_heard_as_one(said: str) -> None:
    assert is_wrong(fold(said))
    assert goes_on(fold(said))


@pytest.mark.parametrize(
    "said", ["没错", "对", "不对劲", "对不对", "是不是", "不是今天", "错过了", "不对" * 400]
)
def test_what_only_looks_like_a_mistake(said: str) -> None:
    assert not is_wrong(fold(said))


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("我选错了，要第二个", "要第二个"),
        ("选错了要第二个", "要第二个"),
        ("不对，是后天", "是后天"),
        ("不是，不对，后天", "后天"),
        ("不是后天", ""),
        ("错过了", ""),
        ("不对", ""),
        ("选错了，" + "要" * 400, ""),
    ],
)
def test_what_is_wanted_in_its_place(said: str, wanted: str) -> None:
    assert instead(fold(said)) == wanted


@pytest.mark.parametrize(
    ("said", "kept"),
    [("不取消了", True), ("算了不取消", True), ("别取消", True), ("取消", False), ("不挂了", False)],
)
def test_who_does_not_cancel_goes_on(said: str, kept: bool) -> None:
    assert keeps(fold(said)) is kept
