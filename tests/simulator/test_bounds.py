"""What the platform remembers of sends, logins and files has an end."""

import pytest

from simulator.logins import BASE, Logins
from simulator.media import Media
from simulator.numbers import Repeats
from simulator.people import Phone
from simulator.qrcodes import Codes, Wish
from simulator.refusals import ApiError
from tests.simulator.town import MovableClock, account

JPEG = b"\xff\xd8\xff"


def test_the_ids_of_sends_are_forgotten_after_their_time_or_when_there_are_too_many() -> None:
    repeats = Repeats(life_s=600, most=2)
    for number, name in enumerate("abc"):
        repeats.keep(("city", "o1", name), number, 0)
    assert [repeats.find(("city", "o1", name), 1) for name in "abc"] == [None, 1, 2]
    assert [repeats.find(("city", "o1", name), 600) for name in "abc"] == [None, None, None]
    repeats.keep(("city", "o1", "d"), 3, 601)
    assert len(repeats._seen) == 1


def test_logins_are_bounded(clock: MovableClock) -> None:
    city, phone = account("http://127.0.0.1/"), Phone("city", "o1")
    logins = Logins([city], clock, most=2)
    codes = [logins.code(city, phone, BASE) for _ in range(3)]
    with pytest.raises(ApiError) as refused:
        logins.redeem(city, codes[0])
    assert refused.value.code == 40029
    assert logins.redeem(city, codes[2])["openid"] == "o1"


def test_files_are_bounded_by_their_bytes(clock: MovableClock) -> None:
    media = Media(clock, most_bytes=250)
    first, second, third = (media.keep("city", "image", JPEG + b"x" * 97).media_id for _ in range(3))
    with pytest.raises(ApiError):
        media.find("city", first)
    assert [media.find("city", one).media_id for one in (second, third)] == [second, third]
    with pytest.raises(ApiError):
        media.find("school", third)


def test_codes_are_bounded(clock: MovableClock) -> None:
    codes = Codes(["city"], clock, most=2)
    passing = [codes.make("city", Wish("bus", 60)) for _ in range(3)]
    assert [codes.find(code.ticket) is not None for code in passing] == [False, True, True]
    lasting = [codes.make("city", Wish("bus", None)) for _ in range(2)]
    with pytest.raises(ApiError) as refused:
        codes.make("city", Wish("bus", None))
    assert refused.value.code == 45029
    assert {code.ticket for code in codes.everything()} == {code.ticket for code in passing[1:] + lasting}
    clock.passes(seconds=60)
    assert codes.everything() == lasting
