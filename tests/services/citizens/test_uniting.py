"""One human with two accounts: one citizen, one family, and messages where they wrote last."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from services.citizens.model import UnknownCitizen
from services.hospital.service import Hospital
from tests.services.citizens.kin import Kin, Person, once
from tests.services.ward import Ward, at

UNION = "o6_bmasdasdsad6_2sgVt7hMZOPfL"


async def reached(kin: Kin, citizen: str) -> str | None:
    async with kin.db.transaction() as tx:
        return await kin.citizens.conversation(tx, citizen)


async def two_accounts(kin: Kin) -> tuple[Person, Person]:
    """One human at the city's account and at the school's."""
    return await kin.person("王小明"), await kin.person("王小明")


async def test_accounts_of_one_unionid_are_one_citizen(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    assert await kin.citizens.unite(city.conversation, UNION) == city.citizen
    assert await kin.citizens.unite(school.conversation, UNION) == city.citizen
    assert await kin.citizens.arrive(school.conversation, "city", "o-x") == city.citizen
    assert await kin.citizens.unite(school.conversation, UNION) == city.citizen, "again: nothing"
    assert await kin.titles(city) == ["本人"]
    assert UNION not in str(await kin.db.fetch("SELECT * FROM citizens"))


async def test_they_are_reached_where_they_wrote_last_and_follow(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    for each in (city, school):
        await kin.citizens.unite(each.conversation, UNION)
    assert await reached(kin, city.citizen) == school.conversation, "the latest to come"
    for each in (city, city, school, city):
        await kin.citizens.arrive(each.conversation, "city", "o-x")
        assert await reached(kin, city.citizen) == each.conversation
    await kin.citizens.leave(city.conversation)
    assert await reached(kin, city.citizen) == school.conversation
    await kin.citizens.leave(school.conversation)
    assert await reached(kin, city.citizen) is None
    await kin.citizens.arrive(city.conversation, "city", "o-x")
    assert await reached(kin, city.citizen) == city.conversation


async def test_family_requests_and_what_waits_come_along(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    mother, father = await kin.stranger("李桂芳"), await kin.stranger("王建国")
    await kin.bound(city, mother)
    held = await kin.bound(school, mother)
    await kin.bound(school, father, "father")
    grandma = await kin.stranger("赵奶奶")
    asked, twice = (
        await kin.asks(school, grandma, "grandmother"),
        await kin.asks(city, await kin.stranger("钱大"), "other"),
    )
    await kin.proving.keep(asked, school.citizen, b"answers", "挂号")
    for each in (city, school):
        await kin.citizens.unite(each.conversation, UNION)
    assert await kin.titles(city) == ["本人", "妈妈", "爸爸"]
    assert await kin.state(held) == "expired", "one of two is enough"
    waiting = await kin.families.open_requests(city.citizen)
    assert {each.binding for each in waiting} == {asked, twice}
    assert await kin.proving.kept(asked, city.citizen) == b"answers"
    assert await kin.by_code(city, asked) == asked


async def test_the_proven_self_stays_whoever_came_first(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    await kin.proves_self(school)
    proven = await kin.citizens.self_person(school.citizen)
    before = await kin.citizens.self_person(city.citizen)
    for each in (city, school):
        await kin.citizens.unite(each.conversation, UNION)
    (me,) = await kin.families.people(city.citizen)
    assert (me.id, me.name) == (proven, "王*明")
    assert (await kin.families.relative(city.citizen, before)).relation == "former"


async def test_two_proven_as_one_person_are_one(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    school.number = city.number
    for each in (city, school):
        await kin.proves_self(each)
        await kin.citizens.unite(each.conversation, UNION)
    assert await kin.titles(city) == ["本人"]
    assert await kin.families.holders(city.citizen) == []


async def test_two_proven_as_two_persons_stay_two(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    for each in (city, school):
        await kin.proves_self(each)
    await kin.citizens.unite(city.conversation, UNION)
    with capture_logs() as lines:
        assert await kin.citizens.unite(school.conversation, UNION) == school.citizen
    assert [line["event"] for line in lines] == ["not_united"]


async def test_bookings_come_along(kin: Kin, ward: Ward, hospital: Hospital) -> None:
    city, school = await two_accounts(kin)
    (period,) = await ward.session("heart-1", at("10:00"))
    booking = await hospital.hold(period, school.citizen, once())
    for each in (city, school):
        await kin.citizens.unite(each.conversation, UNION)
    assert [each.id for each in await hospital.bookings(city.citizen)] == [booking]
    assert await kin.db.fetchval("SELECT citizen FROM bookings") == city.citizen


async def test_both_at_once_and_both_ways_round_are_one(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    found = await asyncio.gather(
        *(kin.citizens.unite(each.conversation, UNION) for each in (city, school, city, school))
    )
    assert len({await kin.citizens.arrive(each.conversation, "city", "o-x") for each in (city, school)}) == 1
    assert set(found) <= {city.citizen, school.citizen}


async def test_who_is_another_citizen_since_asks_under_no_old_name(kin: Kin) -> None:
    city, school = await two_accounts(kin)
    for each in (city, school):
        await kin.citizens.unite(each.conversation, UNION)
    with pytest.raises(UnknownCitizen):
        await kin.asks(school, await kin.stranger("李桂芳"))


async def test_who_never_arrived_has_no_unionid(kin: Kin) -> None:
    with pytest.raises(UnknownCitizen):
        await kin.citizens.unite("city:nobody", UNION)
    with pytest.raises(ValueError, match="without a unionid"):
        await kin.citizens.unite("city:nobody", "")


async def reminded(kin: Kin) -> bool:
    """Whether all that is to be reminded of still is."""
    found = await kin.db.fetchval("SELECT bool_and(guards_hold(guard_keys, guard_ns)) FROM reminders")
    assert found is not None, "there is nothing to be reminded of"
    return bool(found)


async def test_who_proved_it_in_both_accounts_is_reminded_until_they_take_it_back(
    kin: Kin, ward: Ward, hospital: Hospital
) -> None:
    """Two selves became one, and the reminders of what the other had booked were cancelled with it."""
    city, school = await two_accounts(kin)
    school.number = city.number
    for each in (city, school):
        await kin.proves_self(each)
    (period,) = await ward.session(starts=at("10:00") + timedelta(days=2))
    await hospital.hold(period, school.citizen, once())
    for each in (city, school):
        await kin.citizens.unite(each.conversation, UNION)
    assert await reminded(kin)
    (oneself,) = await kin.families.people(city.citizen)
    await kin.families.revoke(oneself.binding, city.citizen, once())
    assert not await reminded(kin)
