"""For whom a number is wanted, as people say it."""

import pytest

from services.citizens.whose import somebody_else

# Nobody else is the patient here.
_OF_ONESELF = (
    "挂号", "给我挂号", "给我自己挂号", "帮我挂心内科", "妇产科", "儿科", "小儿科", "小孩儿科",
    "奶奶庙医院", "给奶奶庙医院打电话", "我要去妇女儿童医院", "我女儿让我来挂号", "儿子帮我挂的",
    "弟弟给我挂的", "我妈叫我来看眼科", "朋友介绍的陈静医生", "孩子他妈说挂心内科", "不是给老伴挂的",
    "不是我妈", "是不是", "为什么", "带状疱疹", "挂孙丽华的号", "姑息治疗", "人工",
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "who"),
    [
        ("给我老伴挂号", "老伴"),
        ("给孩子挂号", "孩子"),
        ("帮我妈挂个号", "妈妈"),
        ("我想给我爱人约心内科", "爱人"),
        ("我要给我们家孩子挂", "孩子"),
        ("给我八十岁的老妈挂个眼科", "老妈"),
        ("给我和我老伴挂号", "老伴"),
        ("挂号给我妈", "妈妈"),
        ("替人挂号", "别人"),
        ("帮她约", "她"),
        ("给孩子他妈挂号", "孩子他妈"),
        ("带孩子看病", "孩子"),
        ("陪岳父看病", "岳父"),
        ("是我老婆看病", "老婆"),
        ("不是我，是我妈", "妈妈"),
        ("我妈腿疼挂什么科", "妈妈"),
        ("我家老头子要看骨科", "老头子"),
        ("老公的号", "老公"),
        ("我和老伴一起看骨科", "老伴"),
        ("孩子发烧", "孩子"),
        ("小孩儿看眼睛", "小孩儿"),
    ],
)
def test_somebody_else_is_the_patient(said: str, who: str) -> None:
    found = somebody_else(said)
    assert found is not None
    assert found[0] == who


@pytest.mark.parametrize(
    "said",
    _OF_ONESELF,
)
def test_control_these_name_no_other_patient(said: str) -> None:
    assert somebody_else(said) is None


def test_what_is_left_can_still_open_something() -> None:
    assert somebody_else("给我老伴挂号") == ("老伴", "挂号")


def test_a_very_long_message_names_nobody() -> None:
    assert somebody_else("给我老伴挂号" * 400) is None
