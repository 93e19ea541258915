"""The durations and limits of reception are those that were decided (design 4, wechat-facts 2.2)."""

from core.chat.durations import MOST_AT_ONCE, MOST_WAITING, TAP_SENDS, WINDOW_SENDS, Durations


def test_each_is_what_was_decided() -> None:
    assert Durations() == Durations(
        lease=3.0,
        renewal=1.0,
        attempt=5.0,
        deadline=4.5,
        promised=4.9,
        handed=4.95,
        dropped=5.5,
        last=9.0,
        retry=0.5,
        passing=6.0,
        claim=620.0,
        reply=60.0,
        session=24 * 3600.0,
        poll=0.1,
        flood=10.0,
        run=14.0,
        window=48 * 3600.0,
        tap=60.0,
    )
    assert (MOST_WAITING, MOST_AT_ONCE, WINDOW_SENDS, TAP_SENDS) == (5, 20, 5, 3)


def test_one_factor_scales_them_all() -> None:
    scaled, whole = Durations().scaled(0.5), Durations()
    assert all(getattr(scaled, name) == getattr(whole, name) / 2 for name in Durations.__slots__)


def test_who_looks_again_does_so_with_some_chance_in_it() -> None:
    looks = {Durations().next_look() for _ in range(100)}
    assert len(looks) > 50
    assert all(0.075 <= each <= 0.125 for each in looks)
