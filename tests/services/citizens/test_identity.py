"""ID numbers: what is written is understood, and every slip of the pen is noticed."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from services.citizens.identity import IdNumberDate, age, born, id_number, masked_id
from tests.services.citizens.refused import told

TODAY = date(2026, 11, 23)
GOOD = "11010519491231002X"
CHARACTERS = "0123456789X"


def brute_force(seventeen: str) -> str:
    """The character that makes the sum 1 modulo 11, each place worth twice the next (ISO 7064, 11-2)."""
    fits = [
        last
        for worth, last in enumerate(CHARACTERS)
        if sum(2 ** (17 - place) * int(digit) for place, digit in enumerate(seventeen)) % 11
        == (1 - worth) % 11
    ]
    assert len(fits) == 1
    return fits[0]


@st.composite
def numbers(draw: st.DrawFn) -> str:
    place = draw(st.integers(110000, 829999))
    birth = draw(st.dates(date(1900, 1, 1), TODAY))
    seventeen = f"{place}{birth:%Y%m%d}{draw(st.integers(0, 999)):03}"
    return seventeen + brute_force(seventeen)


def is_taken(number: str) -> bool:
    try:
        return id_number(number, TODAY) == number
    except DomainError:
        return False


def test_the_vectors_of_the_standard() -> None:
    assert id_number(GOOD, TODAY) == GOOD
    assert not is_taken("110105194912310021")


@given(numbers())
def test_every_number_that_fits_is_taken(number: str) -> None:
    assert is_taken(number)
    assert f"{born(number):%Y%m%d}" == number[6:14]


@given(numbers())
def test_of_eleven_last_characters_one_fits(number: str) -> None:
    assert [last for last in CHARACTERS if is_taken(number[:-1] + last)] == [number[-1]]


@given(numbers(), st.integers(0, 17), st.sampled_from(CHARACTERS))
def test_every_single_wrong_character_is_noticed(number: str, place: int, wrong: str) -> None:
    written = number[:place] + wrong + number[place + 1 :]
    assert is_taken(written) is (written == number)


@given(numbers(), st.integers(0, 16))
def test_every_two_neighbours_that_change_places_are_noticed(number: str, place: int) -> None:
    written = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert is_taken(written) is (written == number)


@given(numbers(), st.data())
def test_it_is_read_as_people_write_it(number: str, data: st.DataObject) -> None:
    wide = str.maketrans(string.digits + "X", "０１２３４５６７８９Ｘ")
    spaced = data.draw(st.sampled_from([" ", "-", "　", "－", "–", " - ", "\u200b"])).join(
        (number[:6], number[6:14], number[14:])
    )
    for written in (number, number.lower(), number.translate(wide), spaced, f"{number[:-1]} {number[-1]}"):
        for around in ("{}", "我的身份证号是{}。", "身份证：{}，谢谢", "王一 {}", "第1个是 {}", "{}\n"):
            assert id_number(around.format(written), TODAY) == number


def test_it_is_read_as_people_speak_it() -> None:
    assert id_number("幺幺零幺零五 一九四九一二三一 零零二叉", TODAY) == GOOD


def test_over_two_lines_and_beside_another_number() -> None:
    assert id_number("110105\n19491231002X", TODAY) == GOOD
    assert id_number(f"电话13812345678 {GOOD}", TODAY) == GOOD


@given(st.text(max_size=60))
def test_no_text_is_too_odd(text: str) -> None:
    try:
        assert len(id_number(text, TODAY)) == 18
    except DomainError:
        return


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("不知道", "没有看到身份证号。\n请写身份证上的18位号码，比如：11010519491231002X"),
        ("110105491231002", "15位的老身份证号，现在不能用了。\n请写新身份证上的18位号码"),
        ("1101051949123100", "身份证号是18位，您写了16位，少了几位"),
        ("11010519491231002", "您写了17位，少了1位。\n请对照身份证，从头写一遍，最后一位如果是X"),
        ("11010519491231002XX", "身份证号里的X只会在最后一位"),
        ("1101051949123100211", "您写了19位，多了。\n请对照身份证"),
        ("13812345678", "您写了11位，像是手机号"),
        ("1101**********002X", "有几位是星号"),
        ("11O105194912310021", "有字母“O”，是不是数字0？"),
        ("1l0105194912310021", "有字母“L”，是不是数字1？"),
        ("110105A94912310021", "有字母“A”，应该是数字"),
        ("110105194913310021", "您写的是1949年13月31日，没有这一天"),
        ("110105194902290021", "1949年2月29日，没有这一天"),
        ("110105194900000021", "1949年0月0日，没有这一天"),
        ("110105202611240021", "2026年11月24日，这一天还没有到"),
        ("110105189912310021", "1899年12月31日，年份太早了"),
        ("110105000012310021", "没有这一天"),
        ("110105194912310021", "对不上，可能有一位写错了，或者两位写反了"),
        (f"{GOOD} 11010519491231001X", "几个身份证号，不知道该用哪一个"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_how_to_put_it_right(written: str, says: str) -> None:
    said = told(id_number, written, TODAY)
    assert says in said
    assert "请" in said
    assert written not in said.replace(GOOD, "…"), "what is personal is not said back whole"


def test_the_same_number_twice_is_one() -> None:
    assert id_number(f"{GOOD}，再写一遍 {GOOD}", TODAY) == GOOD


def test_a_child_born_today_has_a_number_and_tomorrow_has_none() -> None:
    for birth, good in ((TODAY, True), (TODAY + timedelta(days=1), False)):
        seventeen = f"110105{birth:%Y%m%d}001"
        assert is_taken(seventeen + brute_force(seventeen)) is good


def test_why_a_date_is_refused_is_a_fact() -> None:
    with pytest.raises(IdNumberDate) as refused:
        id_number("110105202611240021", TODAY)
    assert refused.value.facts == {"year": 2026, "month": 11, "day": 24, "why": "future"}


@pytest.mark.parametrize(
    ("birth", "today", "years"),
    [
        ("20121123", date(2026, 11, 23), 14),
        ("20121124", date(2026, 11, 23), 13),
        ("20120229", date(2026, 2, 28), 13),
        ("20120229", date(2026, 3, 1), 14),
        ("20261123", date(2026, 11, 23), 0),
    ],
)
def test_the_age_changes_with_the_birthday(birth: str, today: date, years: int) -> None:
    assert age(f"110105{birth}0010", today) == years


def test_a_masked_number_shows_place_and_end() -> None:
    assert masked_id(GOOD) == "1101**********002X"
