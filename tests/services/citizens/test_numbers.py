"""Mobile numbers and codes as people write them, and what they are told where that is none."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import DomainError
from services.citizens.numbers import code, masked_phone, phone
from tests.services.citizens.refused import told

WIDE = str.maketrans(string.digits + "+-", "０１２３４５６７８９＋－")
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
codes = st.from_regex(r"[0-9]{6}", fullmatch=True)


@given(mobiles)
def test_a_mobile_number_is_read_as_people_write_it(number: str) -> None:
    first, second, third = number[:3], number[3:7], number[7:]
    for front in ("", "+86", "+86 ", "0086", "0086-", "86 ", "86", "（+86）", "0", "+86-"):
        for gap in ("", " ", "-", "　", "."):
            written = front + gap.join((first, second, third))
            assert phone(written) == number, written
            assert phone(f"我的手机号是{written}（微信同号）") == number, written
            assert phone(written.translate(WIDE)) == number, written


@given(st.text(alphabet="0123456789+- aX零一*", max_size=30))
def test_whatever_is_taken_for_a_mobile_number_is_one(text: str) -> None:
    try:
        number = phone(text)
    except DomainError:
        return
    assert len(number) == 11
    assert number[0] == "1"
    assert number[1] in "3456789"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("没有手机", "没有看到手机号。\n请写11位手机号，比如：13812345678"),
        ("1381234567", "手机号是11位，您写了10位，少了"),
        ("138123456789", "您写了12位，多了"),
        ("12812345678", "没有12开头的手机号"),
        ("010-12345678", "座机号码，收不到短信"),
        ("400-820-8888", "座机号码"),
        ("6234 5678", "座机号码"),
        ("+852 9123 4567", "只能用内地的手机号"),
        ("0085291234567", "只能用内地的手机号"),
        ("138****5678", "有几位是星号，看不到全部。\n请照原样把每一位都写出来"),
        ("1381234567O", "有字母“O”，是不是数字0？"),
        ("13812345678，13912345678", "几个手机号，不知道该用哪一个。\n请只写一个手机号。"),
    ],
)
def test_what_is_no_mobile_number_is_explained(written: str, says: str) -> None:
    assert says in told(phone, written)


def test_a_masked_number_shows_three_and_four() -> None:
    assert masked_phone("13812345678") == "138****5678"


@given(codes)
def test_a_code_is_read_as_people_write_it(number: str) -> None:
    for written in (
        number,
        f"验证码是 {number[:3]} {number[3:]}",
        f"{number[:2]}-{number[2:4]}-{number[4:]}",
        number.translate(WIDE),
        " ".join(number),
        f"【云汀市人民医院】验证码{number}，5分钟内有效",
        f"验证码 {number} 5分钟内有效",
        number.translate(str.maketrans(string.digits, "零一二三四五六七八九")),
    ):
        assert code(written) == number, written


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("没收到", "没有看到验证码。\n请把短信里的6位数字写过来，比如：123456"),
        ("这是第一次", "没有看到验证码"),
        ("12345", "验证码是6位数字，您写了5位"),
        ("1234567", "您写了7位"),
        ("12345O", "有字母“O”，是不是数字0？\n请再写一遍，比如：123456"),
        ("123456 654321", "几个验证码，不知道该用哪一个。\n请只写一个验证码，用最新收到的那一个。"),
    ],
)
def test_what_is_no_code_is_explained(written: str, says: str) -> None:
    assert says in told(code, written)
