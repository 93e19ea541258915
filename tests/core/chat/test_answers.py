"""How people say numbers, yes, no and names."""

import pytest

from core.chat.answers import (
    agrees,
    by_name,
    fold,
    is_any,
    is_nod,
    is_sticker,
    number,
    pick,
    yes_or_no,
)
from core.chat.likeness import guesses, likeness, nearest
from core.chat.sessions import Option

DOCTORS = [
    Option("wang", "王建国 主任医师（市人民医院）", ("王建国", "王医生", "王大夫")),
    Option("li", "李芳 医师（中医院）", ("李芳", "李医生", "李大夫")),
    Option("li2", "李伟 医师（中医院）", ("李伟", "李大夫")),
]
YES_NO = [Option("yes", "确认"), Option("no", "不要了")]

FIRST = [
    "1",
    "１",
    "一",
    "①",
    "选1",
    "第一个",
    "要一",
    "1.",
    "1、",
    "⒈",
    "1️⃣",
    "1[微笑]",
    "1🌹",
    "选一",
    "选择1",
    "要1",
    "我要第一个",
    "我选1",
    "就第一个吧",
    "那就第一个",
    "第1项",
    "按1",
    "回复1",
    "1号",
    "第一位",
    "（1）",
    "好的，1",
    "嗯，第一个",
    "1谢谢",
    "第一个，谢谢",
    "1。",
    "请选1",
    "点1",
    "我要1",
    "要第一",
    "第一",
    "第一个可以",
    "就要第一个",
]


@pytest.mark.parametrize("said", [*FIRST, "嗯 1", "1 谢谢", " 1 "])
def test_everybody_has_their_own_way_to_say_one(said: str) -> None:
    assert number(fold(said)) == 1


@pytest.mark.parametrize(
    ("said", "meant"), [("两", 2), ("第二个", 2), ("六", 6), ("零", 0), ("10", 10), ("要二号", 2)]
)
def test_other_numbers(said: str, meant: int) -> None:
    assert number(fold(said)) == meant


@pytest.mark.parametrize(
    "said", ["", "一下", "1,2", "1和2", "一二", "123", "第", "1楼", "一点", "1点半", "下午1", "一月"]
)
def test_what_is_no_number(said: str) -> None:
    assert number(fold(said)) is None


@pytest.mark.parametrize(
    "said",
    [
        "是",
        "好的",
        "好的谢谢",
        "好的，谢谢您",
        "[OK]",
        "👌",
        "👍🏻",
        "确认。",
        "对！",
        "ＯＫ",
        "要得"[:1],
        "好的[微笑]",
        "可以的",
        "就这个",
    ],
)
def test_a_yes(said: str) -> None:
    assert yes_or_no(fold(said)) is True


@pytest.mark.parametrize(
    "said", ["不", "不了", "不了，谢谢", "算了吧", "不要了", "不确认", "先不", "不用了谢谢", "NO"]
)
def test_a_no(said: str) -> None:
    assert yes_or_no(fold(said)) is False


@pytest.mark.parametrize(
    "said",
    [
        "先不确认行吗",
        "再确认一下时间",
        "确认什么",
        "还没确认",
        "要是我儿子同意呢",
        "不是不要",
        "等一下",
        "多少钱",
        "3",
        "12",
    ],
)
def test_a_sentence_with_a_yes_word_inside_confirms_nothing(said: str) -> None:
    assert agrees(fold(said), YES_NO) is None


@pytest.mark.parametrize(
    ("said", "agreed"),
    [("1", True), ("第二个", False), ("1 确认", True), ("2 不要了", False), ("要一", True)],
)
def test_a_confirmation_can_be_numbered_or_copied(said: str, agreed: bool) -> None:
    assert agrees(fold(said), YES_NO) is agreed


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        ("取消", None),  # the number, or what is being done just now?
        ("取消吧", None),
        ("我要取消", None),
        ("取消掉", True),
        ("帮我取消掉吧，谢谢", True),
        ("不去了", True),
        ("1", True),
        ("确认", True),
        ("是的", True),
        ("1 取消这个号", True),
        ("保留", False),
        ("不取消", False),
        ("不取消了吧", False),
        ("2", False),
        ("不", False),
        ("算了", False),
        ("不要了", None),  # the number, or the cancelling?
        ("我不要了", None),
        ("不要", None),
        ("取消了会怎样", None),
    ],
)
def test_to_cancel_was_taken_for_a_no(said: str, agreed: bool | None) -> None:
    own = [Option("yes", "取消这个号", ("取消掉", "不去了")), Option("no", "保留", ("不取消",))]
    assert agrees(fold(said), own) is agreed


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("王医生", "wang"),
        ("就要王医生", "wang"),
        ("2 李芳", "li"),
        ("王建国主任吧", "wang"),
        ("市人民医院", "wang"),
        ("第三个", "li2"),
        ("李大夫", None),  # two are called so
        ("李", None),
        ("不要王医生", None),
        ("不要王医生，要李芳", "li"),
        ("不想看王医生", None),
        ("张医生", None),
        ("4", None),
        ("", None),
    ],
)
def test_an_option_is_picked_by_its_own_words(said: str, meant: str | None) -> None:
    option = pick(fold(said), DOCTORS)
    assert (option.id if option else None) == meant


def test_a_whole_name_goes_before_a_number_and_a_number_before_a_part_of_a_name() -> None:
    days = [Option("a", "11月26日", ("26号",)), Option("b", "12月1日", ("1号",)), Option("c", "第一医院")]
    assert pick("1号", days) == days[1]
    assert pick("第一", days) == days[0]
    assert pick("第一医", days) == days[2]


def test_the_longest_name_wins() -> None:
    options = [Option("a", "内科"), Option("b", "心内科"), Option("c", "神经内科")]
    assert by_name("挂心内科", options) == options[1]
    assert by_name("内科", options) == options[0]


def test_of_two_that_are_named_with_or_the_longer_name_is_not_meant_more() -> None:
    options = [Option("a", "骨科"), Option("b", "心内科"), Option("c", "神经内科")]
    assert by_name("心内科还是神经内科", options) is None
    assert by_name("骨科或者心内科", options) is None


@pytest.mark.parametrize("copied", ["1、心内科", "1 心内科", "1.心内科", "1心内科", "１、心内科。"])
def test_a_whole_line_copied_from_the_screen_is_that_line(copied: str) -> None:
    options = [Option("a", "心内科"), Option("b", "中医心内科")]
    assert pick(fold(copied), options) == options[0]


@pytest.mark.parametrize("said", ["哈哈哈哈哈", "啊啊啊啊", "asdf", "😀", "嘻嘻"])
def test_what_says_nothing_gets_no_guess(said: str) -> None:
    assert guesses(fold(said), [Option("a", "挂号"), Option("b", "我的预约")], 2) == []


@pytest.mark.parametrize("said", ["今天天气怎么样", "我想问一件事情", "什么时候轮到我", "水费", "公交车几点"])
def test_a_sentence_that_names_nothing_here_was_answered_with_the_first_two_lines(said: str) -> None:
    options = [Option("a", "挂号", ("挂号费",)), Option("b", "取号", ("什么时候取号", "几点取号"))]
    assert guesses(fold(said), options, 2) == []


@pytest.mark.parametrize(("said", "first"), [("查一下我约的", "b"), ("我老伴要挂号看病呢", "a")])
def test_a_sentence_that_names_something_gets_the_nearest_two(said: str, first: str) -> None:
    options = [Option("b", "我的预约", ("我约的号",)), Option("c", "改约"), Option("a", "挂号", ("看病",))]
    near = guesses(fold(said), options, 2)
    assert near[0].id == first


def test_the_nearest_come_first_and_nobody_is_lost() -> None:
    options = [Option(name, name) for name in ("皮肤科", "口腔科", "心血管内科")]
    assert [option.id for option in nearest("心血管", options)] == ["心血管内科", "皮肤科", "口腔科"]
    assert nearest("", options) == options
    assert likeness("", options[0]) == 0


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        (" 挂号。", "挂号"),
        ("“挂号”", "挂号"),
        ("挂号[玫瑰]", "挂号"),
        ("🌹挂号", "挂号"),
        ("ＡＢＣ", "abc"),
        ("[微笑]", "微笑"),
        ("👍", "👍"),
        ("？！", ""),
        ("挂 号", "挂 号"),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_a_yes_to_the_only_line_chose_nothing() -> None:
    assert pick("好的", DOCTORS[:1]) is DOCTORS[0]
    assert pick("不要", DOCTORS[:1]) is None
    assert pick("好的", DOCTORS) is None


@pytest.mark.parametrize("said", ["嗯", "好的", "不是", "知道了", "哦"])
def test_a_nod(said: str) -> None:
    assert is_nod(fold(said))


@pytest.mark.parametrize("written", ["[呲牙]", "😀", "/:rose", "/:rose🌹 [OK]"])
def test_stickers_alone(written: str) -> None:
    assert is_sticker(written)


@pytest.mark.parametrize("written", ["", " ", "挂号[玫瑰]", "1/:rose", "http://a.cn/b"])
def test_stickers_beside_words_and_none_at_all(written: str) -> None:
    assert not is_sticker(written)


LINES = [
    Option("a", "陈静 主任医师\n人民医院 今天有号", ("陈静",)),
    Option("b", "陈敏 主治医师\n中医院 明天有号", ("陈敏",)),
]


@pytest.mark.parametrize(
    "said",
    [
        "2、陈敏 主治医师\n　中医院 明天有号",
        "2、陈敏 主治医师",
        "陈敏 主治医师 中医院 明天有号",
        "中医院",
    ],
)
def test_a_line_of_two_lines_is_copied_whole_or_in_part(said: str) -> None:
    picked = pick(fold(said), LINES)
    assert picked is not None
    assert picked.id == "b"


@pytest.mark.parametrize(
    "said", ["随便。", "就随便选吧", "要最早的", "最早的那个", "您看着办", "什么时候都行"]
)
def test_leaving_the_choice_to_us(said: str) -> None:
    assert is_any(fold(said))


@pytest.mark.parametrize("said", ["不是随便", "最早几点", "随便问问", "可以", "好的", "1", ""])
def test_what_is_no_leaving_the_choice_to_us(said: str) -> None:
    assert not is_any(fold(said))


@pytest.mark.parametrize("said", ["取消预约", "我想取消", "不是", "没有"])
def test_a_single_character_they_had_in_common_put_lines_first(said: str) -> None:
    options = [Option("a", "心内科"), Option("b", "消化内科", ("不消化",)), Option("c", "妇科", ("不孕",))]
    assert nearest(said, options) == options


def test_one_character_misheard_is_still_like_the_name() -> None:
    options = [Option("a", "心内科"), Option("b", "骨科")]
    assert nearest("骨课", options)[0].id == "b"
