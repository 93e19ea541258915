"""Names: rare characters, dots and foreigners are welcome, anything else is told politely."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from services.citizens.names import compared, masked_name, person_name
from tests.services.citizens.refused import told

RARE = "㐂𠮷𪚥𫚖𫝀𬎇𬬮\U0002ebf0\U00030000\U000313f0〇"  # of extensions A to I, and the round zero


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("王秀英", "王秀英"),
        (" 王 秀\u3000英。", "王秀英"),
        ("我叫王秀英", "王秀英"),
        ("我妈叫王秀英", "王秀英"),
        ("我爱人的名字叫王秀英！", "王秀英"),
        ("姓名：王秀英", "王秀英"),
        ("“王秀英”", "王秀英"),
        ("王\u200b秀英\ufe0f", "王秀英"),
        ("⼀⼆", "一二"),
        ("是三立", "是三立"),
        ("名可秀", "名可秀"),
        ("John F.  Kennedy", "John F. Kennedy"),
        ("ＪＯＨＮ　ＳＭＩＴＨ", "JOHN SMITH"),
        ("O’Brien", "O'Brien"),
        ("Jose\u0301 García-López", "José García-López"),
    ],
)
def test_a_name_is_read_as_people_write_it(written: str, name: str) -> None:
    assert person_name(written) == name


@pytest.mark.parametrize("dot", [*"·•‧∙⋅・･．.﹒", " · ", "··", "·•"])
def test_every_dot_in_a_name_is_the_one_of_the_id_card(dot: str) -> None:
    assert person_name(f"阿依古丽{dot}买买提") == "阿依古丽·买买提"
    assert person_name(f"阿{dot}依{dot}古") == "阿·依·古"


@pytest.mark.parametrize("rare", RARE)
def test_rare_characters_are_names_and_stay_as_they_are(rare: str) -> None:
    assert person_name(f"王{rare}") == f"王{rare}"
    assert compared(f"王{rare}") != compared("王")


def test_a_compatibility_character_stays_and_is_compared_as_the_usual_one() -> None:
    for rare, usual in (("\uf9b7", "\u91b4"), ("\U0002f804", "你")):
        name = person_name(f"李{rare}")
        assert name == f"李{rare}"
        assert compared(name) == compared(f"李{usual}")


def test_what_does_not_make_another_person_does_not_count() -> None:
    assert compared("阿依古丽·买买提") == compared("阿依古丽买买提")
    assert compared("José García-López") == compared("JOSE GARCIA LOPEZ")
    assert compared("O'Brien") == compared("O’BRIEN")
    assert compared("王秀英") != compared("王秀瑛")


@given(st.text(max_size=40))
def test_a_name_that_was_taken_is_taken_again_as_it_is(text: str) -> None:
    try:
        name = person_name(text)
    except DomainError:
        return
    assert person_name(name) == name
    assert compared(name) == compared(compared(name))
    assert not any(each.isdecimal() or each in "<>&" for each in name)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("。。。", "没有看到姓名。\n请写身份证上的名字，比如：王秀英"),
        ("我是", "没有看到姓名"),
        ("王", "请写全名，姓和名都要写"),
        ("王" * 26, "名字最多25个字，您写了26个"),
        ("Wolfeschlegelsteinhausen Bergerdorff Senior", "名字最多40个字，您写了43个"),
        ("王秀英2", "名字里不能有数字"),
        ("王秀英１", "名字里不能有数字"),
        ("王秀英②", "名字里不能有数字"),
        ("<b>王秀英</b>", "名字里有不能用的符号"),
        ("王&nbsp;英", "名字里有不能用的符号"),
        ("王🙂英", "名字里的“🙂”不能用"),
        ("王,英", "名字里的“,”不能用"),
        ("王A", "名字里的“A”不能用"),
        ("Иван", "名字里的“И”不能用"),
    ],
)
def test_what_is_no_name_is_explained(written: str, says: str) -> None:
    assert says in told(person_name, written)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("欧锦锋", "欧*锋"),
        ("欧阳锦锋", "欧**锋"),
        ("阿依古丽·买买提", "阿**提"),
        ("阿·古", "阿*"),
        ("𠮷野家", "𠮷*家"),
        ("John F. Kennedy", "J**y"),
        ("", "*"),
    ],
)
def test_a_masked_name_shows_first_and_last(name: str, shown: str) -> None:
    assert masked_name(name) == shown
