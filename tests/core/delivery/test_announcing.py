"""A notice to many is looked at before it is made: its words, its recipients, its days."""

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.delivery import jobs
from core.delivery.announcing import Announcer, Wish
from core.delivery.filling import Filling
from core.delivery.lanes import Lane
from core.delivery.notices import NoticeRefused, Notices
from core.delivery.rates import TEMPLATE, WINDOW, Limits, Rates
from tests.core.delivery.bureau import FACTS, Bureau, clock_at

FOLLOWERS = 1_000


class Crowd:
    """An audience of whom only the number matters."""

    async def count(self, account: str, audience: str) -> int:
        return FOLLOWERS


def announcer(bureau: Bureau, clock: ManualClock, **quotas: int) -> Announcer:
    rates = Rates(bureau.redis, Limits(quotas={"city": quotas}), clock)
    notices = Notices(bureau.kinds, bureau.words, bureau.seal, clock, "http://city.example")
    return Announcer(bureau.db, bureau.seal, notices, rates, Crowd(), clock)


def wish(kind: str = "news", **facts: object) -> Wish:
    return Wish(kind, "city", "followers", {**FACTS, **facts})


async def test_what_fits_into_a_day_needs_one(bureau: Bureau) -> None:
    outlook = await announcer(bureau, clock_at(9)).look(wish())
    assert (outlook.recipients, [day.count for day in outlook.days]) == (FOLLOWERS, [FOLLOWERS])


async def test_what_is_beyond_todays_share_goes_on_tomorrow(bureau: Bureau) -> None:
    quotas = {TEMPLATE: 1_000, WINDOW: 1_000}
    outlook = await announcer(bureau, clock_at(9), **quotas).look(wish())
    assert [day.count for day in outlook.days] == [600, 400]


async def test_a_notice_that_is_over_before_its_last_day_is_refused(bureau: Bureau) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await announcer(bureau, clock_at(9), **{TEMPLATE: 20, WINDOW: 20}).look(wish())
    assert refused.value.field == "valid_for"
    assert "84 days" in str(refused.value.facts["why"])


@pytest.mark.parametrize(("kind", "field"), [("nope", "kind"), ("note", "lane")])
async def test_only_kinds_for_many_can_be_announced(bureau: Bureau, kind: str, field: str) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await announcer(bureau, clock_at(9)).look(wish(kind))
    assert refused.value.field == field


async def test_the_same_notice_made_twice_is_one_job(bureau: Bureau) -> None:
    desk = announcer(bureau, clock_at(9))
    numbers = {await desk.make(await desk.look(wish()), "staff") for _ in range(2)}
    assert len(numbers) == 1
    other = await desk.make(await desk.look(wish(count=3)), "staff")
    assert other not in numbers, "another text is another notice"
    assert {job.who for job in await jobs.listed(bureau.db, None, 9)} == {"staff"}


async def test_at_night_it_waits_for_the_morning(bureau: Bureau) -> None:
    clock = clock_at(23)
    outlook = await announcer(bureau, clock).look(wish("daily"))
    assert outlook.not_before > clock.now() + timedelta(hours=8)
    assert outlook.days[0].date == clock.now().date() + timedelta(days=1)


async def test_what_waits_for_tomorrow_has_all_of_tomorrows_share(bureau: Bureau) -> None:
    """What was sent today was taken off tomorrow's; control: in the morning of today it is taken off."""
    quotas = {TEMPLATE: 2_000, WINDOW: 2_000}
    for hour, planned in ((9, [200, 800]), (23, [FOLLOWERS])):
        clock = clock_at(hour)
        desk = announcer(bureau, clock, **quotas)
        if hour == 9:
            rates = Rates(bureau.redis, Limits(per_second=5_000, quotas={"city": quotas}), clock)
            for api in quotas:
                assert (await rates.take("city", api, Lane.BULK, 1_000)).count == 1_000
                await bureau.redis.client.hdel("bm:{city}:sent", "tokens", "at")
        outlook = await desk.look(wish("daily"))
        assert [day.count for day in outlook.days] == planned


async def test_another_notice_under_way_goes_first_and_itself_does_not_stand_in_its_own_way(
    bureau: Bureau,
) -> None:
    desk = announcer(bureau, clock_at(9), **{TEMPLATE: 1_000, WINDOW: 1_000})
    await desk.make(await desk.look(wish()), "staff")
    await Filling(bureau.db, bureau.post).fill()
    waiting = len(bureau.post.phones)
    assert [day.count for day in (await desk.look(wish())).days] == [600, 400]
    assert [day.count for day in (await desk.look(wish(count=3))).days] == [600 - waiting, 400 + waiting]
