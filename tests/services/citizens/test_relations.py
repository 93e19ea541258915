"""What people call their family, and whom that means."""

import pytest

from services.citizens import relations


@pytest.mark.parametrize(
    ("word", "codes"),
    [
        ("妈", "mother"),
        ("我妈", "mother"),
        ("我们家老妈", "mother"),
        ("我的母亲", "mother"),
        ("爸爸", "father"),
        ("老伴", "spouse"),
        ("我老婆", "spouse"),
        ("孩子他妈", "spouse"),
        ("孩子", "son daughter"),
        ("娃", "son daughter"),
        ("我闺女", "daughter"),
        ("大儿子", "son"),
        ("小女儿", "daughter"),
        ("父母", "mother father"),
        ("姥姥", "grandmother"),
        ("外公", "grandfather"),
        ("二哥", "brother"),
        ("大姐", "sister"),
        ("岳母", "mother_in_law"),
        ("公公", "father_in_law"),
        ("外孙女", "grandchild"),
        ("同事", "other"),
        ("女儿 ", "daughter"),
        ("本人", "self"),
        ("我", "self"),
        ("挂号", ""),
        ("", ""),
    ],
)
def test_a_word_means_these(word: str, codes: str) -> None:
    assert relations.codes(word) == frozenset(codes.split())


def test_family_means_everybody_but_oneself() -> None:
    assert relations.codes("家人") == relations.FAMILY
    assert not relations.FAMILY & {"self", "former"}


def test_every_relation_has_a_title_that_means_it() -> None:
    for code in relations.FAMILY | {"self"}:
        assert code in relations.codes(relations.title(code))
        assert relations.words(code)[0] == relations.title(code)
    assert relations.title("former") == "本人"


@pytest.mark.parametrize(
    "who",
    [
        "妈妈",
        "老伴",
        "孩子",
        "爷爷",
        "姐姐",
        "同事",
        "丈母娘",
        "家人",
        "女儿",
        "儿媳妇",
        "女婿",
        "邻居",
        "老人家",
        "宝贝",
    ],
)
def test_whom_a_booking_may_be_for_is_somebody(who: str) -> None:
    """The words the hospital hears when somebody else is the patient."""
    assert relations.codes(who)
