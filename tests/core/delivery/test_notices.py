"""A notice is checked before it is queued: every field, its words, its address, its time."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.delivery import guards
from core.delivery.kinds import Kinds
from core.delivery.notices import NoticeRefused
from core.delivery.quiet import USUAL, Quiet
from core.delivery.rates import Limits
from tests.core.delivery.bureau import NOON, Bureau, clock_at
from tests.core.delivery.town import HERE, NOTICES


async def test_a_field_that_does_not_fit_is_named(bureau: Bureau) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await bureau.queue(bureau.notice("visit", what=""))
    assert (refused.value.field, refused.value.facts["kind"]) == ("thing1", "visit")
    assert await bureau.states() == []


async def test_a_fact_that_lacks_is_a_refusal_like_others(bureau: Bureau) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await bureau.queue(replace(bureau.notice("visit"), facts={"what": "心内科"}))
    assert (refused.value.field, refused.value.facts["kind"]) == ("facts", "visit")


async def test_words_too_long_for_a_message_are_refused(bureau: Bureau) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await bureau.queue(bureau.notice("note", count="很" * 700))
    assert refused.value.field == "words"


async def test_words_wechat_cannot_show_are_refused(bureau: Bureau) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await bureau.queue(bureau.notice("note", count="\x07"))
    assert refused.value.field == "words"


async def test_an_address_that_is_none_is_refused(bureau: Bureau) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await bureau.queue(bureau.notice("visit", count="x" * 1100))
    assert refused.value.field in {"link", "words"}


async def test_the_same_notice_is_queued_once_and_a_changed_one_anew(bureau: Bureau) -> None:
    notice = bureau.notice("note", "b1")
    guarded = type(notice)("note", "b1", HERE, notice.facts, guards=("booking:b1",))
    assert await bureau.queue(guarded)
    assert not await bureau.queue(guarded)
    await bureau.bump("booking:b1")
    assert await bureau.queue(guarded)
    await bureau.opens()
    await bureau.out.send_due()
    assert [state for state, _ in await bureau.states()] == ["cancelled", "accepted"]


async def test_what_hangs_on_more_than_two_objects_and_its_recipient_is_a_mistake(bureau: Bureau) -> None:
    with pytest.raises(ValueError, match="at most 2"):
        async with bureau.db.transaction() as tx:
            await guards.current(tx, ["a", "b", "c"])


# --- quiet hours ---


@pytest.mark.parametrize(
    ("said", "at", "until"),
    [
        ("hold", (21, 0), (8, 0)),
        ("hold", (3, 30), (8, 0)),
        ("hold", (20, 59), None),
        ("hold", (8, 0), None),
        ("21:00-06:30", (6, 29), (6, 30)),
        ("12:00-14:00", (13, 0), (14, 0)),
        ("12:00-14:00", (14, 0), None),
        ("ignore", (3, 0), None),
    ],
)
def test_quiet_hours_end_when_they_say(said: str, at: tuple[int, int], until: tuple[int, int] | None) -> None:
    over = Quiet.parse(said).over_at(clock_at(*at).now())
    assert (over and (over.hour, over.minute)) == until


@pytest.mark.parametrize("said", ["", "24:00-06:00", "21-6", "hold on"])
def test_quiet_hours_nobody_can_read_are_refused(said: str) -> None:
    with pytest.raises(ValueError, match="quiet"):
        Quiet.parse(said)


@pytest.mark.parametrize(
    ("hold", "until"), [("20:00-09:30", (9, 30)), ("00:00-00:00", None), (USUAL, (8, 0))]
)
def test_a_city_has_quiet_hours_of_its_own(bureau: Bureau, hold: str, until: tuple[int, int] | None) -> None:
    kinds = Kinds(NOTICES, bureau.words, hold=hold)
    over = kinds["daily"].quiet.over_at(clock_at(7, 45).now())
    assert (over and (over.hour, over.minute)) == until
    assert kinds["hushed"].quiet.over_at(clock_at(7, 45).now()) is None, "it names its own: until 06:30"


def test_held_for_the_night_it_leaves_some_minutes_after_the_end_and_in_time() -> None:
    night, quiet = NOON.replace(hour=22), Quiet.parse("hold")
    morning = NOON.replace(hour=8) + timedelta(days=1)
    moments = {quiet.moved(night, morning + timedelta(hours=1)) for _ in range(50)}
    assert len(moments) > 10, "not all at once"
    assert all(each is not None and morning <= each < morning + timedelta(minutes=10) for each in moments)
    soon = morning + timedelta(seconds=30)
    assert all((each := quiet.moved(night, soon)) is not None and each < soon for _ in range(50))


async def test_what_would_be_held_until_it_is_too_late_is_refused_when_it_is_queued(bureau: Bureau) -> None:
    bureau.clock = clock_at(22)
    bureau.notices = type(bureau.notices)(bureau.kinds, bureau.words, bureau.seal, bureau.clock, "")
    notice = bureau.notice("hushed")
    late = type(notice)("hushed", "x", HERE, notice.facts, valid_until=NOON.replace(hour=23))
    with pytest.raises(NoticeRefused) as refused:
        await bureau.queue(late)
    assert (refused.value.field, refused.value.facts["why"]) == (
        "valid_until", "it would be held until it is too late",
    )  # fmt: skip
    past = type(notice)("note", "x", HERE, notice.facts, valid_until=NOON)
    with pytest.raises(NoticeRefused, match="notice_refused"):
        await bureau.queue(past)


async def at_night(bureau: Bureau, count: int = 1, worth: timedelta = timedelta(days=2)) -> None:
    """What may not disturb anybody comes to its turn at eleven in the evening, nine hours before the end."""
    for _ in range(count):
        await bureau.queue(bureau.notice("note"))
    await bureau.db.execute("UPDATE outbox SET kind = 'daily', lane = 2, valid_until = now() + $1", worth)
    bureau.clock = clock_at(23)
    await bureau.worker().send_due()


async def test_what_comes_to_its_turn_at_night_does_not_leave_in_the_morning_all_at_once(
    bureau: Bureau,
) -> None:
    bureau.limits = Limits(per_second=1_000)
    await at_night(bureau, 30)
    assert await bureau.states() == [("held", "quiet hours")] * 30
    rows = await bureau.db.fetch("SELECT not_before - now() AS wait FROM outbox ORDER BY 1")
    nine, minute = timedelta(hours=9), timedelta(minutes=1)
    assert nine - minute < rows[0]["wait"] <= rows[-1]["wait"] < nine + 10 * minute
    seconds = {int(row["wait"].total_seconds()) for row in rows}
    assert len(seconds) > 15, "a control: they would be one second, or two"


async def test_and_never_when_it_is_too_late(bureau: Bureau) -> None:
    await at_night(bureau, 30, timedelta(hours=9, seconds=20))
    assert await bureau.states() == [("held", "quiet hours")] * 30
    assert not await bureau.db.fetchval("SELECT count(*) FROM outbox WHERE not_before >= valid_until")


async def test_what_is_worth_nothing_in_the_morning_ends_at_night(bureau: Bureau) -> None:
    await at_night(bureau, 1, timedelta(hours=8, minutes=59))
    assert await bureau.states() == [("expired", "quiet hours")]


async def test_what_comes_to_its_turn_at_night_waits_for_the_morning(bureau: Bureau) -> None:
    await bureau.opens()
    await bureau.queue(bureau.notice("note"))
    await bureau.db.execute("UPDATE outbox SET kind = 'hushed'")
    bureau.clock = clock_at(23)
    night = bureau.worker()
    await night.send_due()
    assert await bureau.states() == [("held", "quiet hours")]
    bureau.clock = clock_at(9)
    await bureau.db.execute("UPDATE outbox SET not_before = not_before - interval '10 hours'")
    await bureau.worker().send_due()
    assert await bureau.state() == "accepted"
