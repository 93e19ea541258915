"""What we let into a field of a notice, the simulator takes: it has rules of its own."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.delivery import fields
from core.delivery.kinds import Kinds
from core.delivery.notices import NoticeRefused
from core.errors import BootError
from simulator import values
from tests.core.delivery.bureau import NOON, Bureau
from tests.support.wording import house_words

GOOD = {
    "thing": ["心内科 韩立新（主任医师）", "一", "A-17 / 3号窗", "二" * 20],
    "number": ["3.14", "0", "9" * 32, "1" * 16 + "." + "2" * 16],
    "letter": ["ABC", "a" * 32],
    "symbol": ["￥%", "#", "——！？。"],
    "character_string": ["A-17/b", "!" * 32],
    "time": ["15:01", "2026-11-25 09:00", "2026年11月25日 09:00", "2028/02/29 9:00:30", "09:00~09:30"],
    "date": ["2026-11-25", "2026年11月25日", "2026-11-25 09:00", "2026-11-25~2026-11-26 10:00"],
    "amount": ["¥12.50", "￥12", "12元", "$1234567890", "12345678.90元", "0"],
    "phone_number": ["+86-24-12345678", "12345", "(024)12345678"],
    "car_number": ["辽A12345", "辽A12345挂", "粤A8Z888学", "A1"],
    "name": ["欧阳小明", "Elizabeth II", "买买提·阿卜杜拉", "王O'Neil", "a" * 20, "一二三四五六七八九十"],
    "phrase": ["已预约", "已预约好了"],
    "enum": ["进行中"],
}
BAD = {
    "thing": ["这个名字实在是太长太长了没有任何一部手机可以把它显示完", "", "两\n行"],
    "number": ["-5", "１２", "三", "1.", "", "9" * 33, "1 2", "٣"],
    "letter": ["AB1", "é", "a" * 33, ""],
    "symbol": ["a", "", "!!!!!!", "\x07", "_a", "！ ！"],
    "character_string": ["甲", "a b", "", "a" * 33, "é", "\t"],
    "time": ["25:00", "早上", "", "2026-13-45 09:00", "2026-02-30 09:00", "2026-11-25", "2026-11-2509:00",
             "０９:00", "09:00~", "09:00~09:30~10:00", "0000-01-01 09:00"],
    "date": ["11月", "2026-02-30", "2027-02-29", "2026-00-01", "", "09:00", "2026-11-25~", "２０２６-11-25"],
    "amount": ["十二元", "12345678901元", "￥１２", "-5元", "", "元", "+5", "1.2.3"],
    "phone_number": ["打电话", "０１２", "", "1" * 18, "+86 24"],
    "car_number": ["辽A 12345挂挂挂", "云汀市出租车牌", "", "辽A1234567", "１２３４"],
    "name": ["一二三四五六七八九十零", "a" * 21, "张三123", "", "张三１", "张\t三"],
    "phrase": ["OK", "已经预约好了", "", "已 约"],
    "enum": ["", "两\n行"],
}  # fmt: skip
_ALIKE = (
    "0123456789０１９٣²①Ⅳ"
    "Ａaz_éẞ中李〇㐀𠮷挂年月日元"
    "·•-–/:：.．~～¥￥$€+()（）'，。！#🚑"
    " \t\n\r\x07\u200b\u3000"
)


def table(of: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(kind, value) for kind, known in of.items() for value in known]


@pytest.mark.parametrize(("kind", "value"), table(GOOD))
def test_what_wechat_takes_is_taken_by_us_and_by_the_simulator(kind: str, value: str) -> None:
    assert fields.fault(f"{kind}1", value) == ""
    assert values.fits(kind, value)


@pytest.mark.parametrize(("kind", "value"), table(BAD))
def test_what_wechat_refuses_is_not_let_out(kind: str, value: str) -> None:
    assert fields.fault(f"{kind}1", value) != ""


def test_every_type_of_field_is_known_to_both() -> None:
    assert set(GOOD) == set(BAD) == set(values.RULES)


@st.composite
def _nearly(draw: st.DrawFn) -> str:
    """Something that fits somewhere, with a few characters changed, added or taken away."""
    said = list(draw(st.sampled_from([value for _, value in table(GOOD)])))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(said)))
        said[at : at + draw(st.integers(0, 1))] = draw(st.text(_ALIKE, max_size=2))
    return "".join(said)


@given(said=_nearly() | st.text(_ALIKE, max_size=34) | st.text(max_size=34))
@example("2026-02-30")
@example("￥１２")
def test_whatever_we_take_the_simulator_takes(said: str) -> None:
    for kind in values.RULES:
        if not fields.fault(f"{kind}1", said):
            assert values.fits(kind, said), kind


@given(key=st.from_regex(r"[a-z_]{0,16}[\d]{0,3}", fullmatch=True) | st.sampled_from(["thing１", "thing1\n"]))
def test_a_key_we_know_the_simulator_knows(key: str) -> None:
    try:
        ours = fields.type_of(key)
    except ValueError:
        return
    assert values.type_of(key) == ours


@pytest.mark.parametrize("key", ["thing", "1thing", "gift1", "thing0", "thing123", "thing１", ""])
def test_a_field_wechat_does_not_have_is_refused_when_its_kind_is_read(key: str) -> None:
    with pytest.raises(ValueError, match="no field"):
        fields.type_of(key)


# --- an enum's values ---

STATE = 'title = "进度"\nlane = "personal"\nwords = "chat/unread"\n[fields]\nenum1 = "{{ what }}"\n'


def kinds(folder: Path, values: str) -> Kinds:
    (folder / "state.toml").write_text(f"{STATE}{values}")
    return Kinds(folder, house_words())


async def test_an_enum_is_one_of_the_values_that_are_listed(bureau: Bureau, tmp_path: Path) -> None:
    kind = kinds(tmp_path, '[values]\nenum1 = ["进行中", "已完成"]')["state"]
    for said in kind.values["enum1"]:
        letter = bureau.notices.letter(kind, bureau.notice("state", what=said), NOON, NOON)
        assert letter.fields == (("enum1", said),)
    with pytest.raises(NoticeRefused) as refused:
        bureau.notices.letter(kind, bureau.notice("state", what="未开始"), NOON, NOON)
    assert refused.value.field == "enum1"
    assert "进行中, 已完成" in str(refused.value.facts["why"])


@pytest.mark.parametrize(
    "values",
    ["", "[values]\nenum1 = []", '[values]\nenum1 = "进行中"', '[values]\nenum1 = ["是"]\nthing2 = ["否"]',
     '[values]\nenum1 = ["两\\n行"]', "[values]\nenum1 = [1]"],
)  # fmt: skip
def test_an_enum_without_its_values_stops_the_start(tmp_path: Path, values: str) -> None:
    with pytest.raises(BootError, match=r"state\.toml"):
        kinds(tmp_path, values)
