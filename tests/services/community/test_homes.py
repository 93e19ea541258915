"""A home: asked for by a citizen, decided by staff of the place and by nobody else, left at any time."""

import asyncio

import asyncpg
import pytest

from core.clock import ManualClock
from core.errors import DomainError
from core.privacy.holdings import Subject
from core.privacy.retention import Retention
from core.seal import Seal
from core.stores.database import Database
from services.citizens.consent_texts import COMMUNITY
from services.citizens.consents import ConsentMissing
from services.citizens.service import Families
from services.citizens.withdrawing import Withdrawing
from services.community import homes as rules
from services.community.errors import (
    HomeDecided,
    HomeKnown,
    NoSuchHome,
    NoSuchPlace,
    PlaceNotFound,
    ReasonMissing,
    RoomStrange,
    TooManyHomes,
)
from services.community.holding import Dwellings
from services.community.homes import reason_of, room_of
from services.community.model import HomeRole
from tests.services.community.estate import LI, WANG, Estate, once
from tests.support.city_hospital import notices_of


@pytest.fixture
async def estate(db: Database, seal: Seal, clock: ManualClock) -> Estate:
    estate = Estate(db, seal, clock)
    await estate.build()
    return estate


async def test_staff_of_the_place_approves_and_the_citizen_is_told(estate: Estate) -> None:
    citizen = await estate.citizen()
    number = await estate.asks(citizen, "春风小区", "1栋", "2单元", room="502")
    (waits,) = await estate.homes.waiting(LI.scopes)
    assert (waits.id, waits.where, waits.room) == (number, "春风社区 春风小区 1栋 2单元", "502")
    assert (waits.name, waits.role, waits.is_active) == ("王秀英", HomeRole.OWNER, False)
    assert await estate.homes.count_waiting(LI.scopes) == 1
    assert await estate.approves(number) == number
    assert [each.is_active for each in await estate.homes.mine(citizen)] == [True]
    assert await estate.homes.waiting(LI.scopes) == []
    assert await estate.told() == ["home_answered"]
    assert await estate.events(number) == [("asked", ""), ("approved", "s_li")]


async def test_staff_of_another_community_neither_see_nor_decide_it(estate: Estate) -> None:
    number = await estate.asks(await estate.citizen())
    assert await estate.homes.waiting(WANG.scopes) == []
    assert await estate.homes.count_waiting(WANG.scopes) == 0
    for act in (
        estate.homes.asked(number, WANG.scopes),
        estate.approves(number, WANG),
        estate.refuses(number, "不住这里", WANG),
        estate.homes.asked(number, frozenset()),
        estate.homes.asked("no-such", LI.scopes),
    ):
        with pytest.raises(NoSuchHome):
            await act
    assert await estate.state(number) == "requested"


@pytest.mark.parametrize("scope", ["420106", "420106001", "420106001003"])
async def test_who_works_for_the_street_or_the_district_decides_it_too(estate: Estate, scope: str) -> None:
    number = await estate.asks(await estate.citizen())
    assert (await estate.homes.asked(number, {scope, "hospital:zhongnan"})).id == number


async def test_a_refusal_has_a_reason_and_may_be_followed_by_another_request(estate: Estate) -> None:
    citizen = await estate.citizen()
    number = await estate.asks(citizen)
    with pytest.raises(ReasonMissing):
        await estate.refuses(number, " ")
    await estate.refuses(number, "  名册里没有\n这一户 ")
    subject = Subject(citizen, (), (), estate.clock.now())
    (entry,) = (await Dwellings(estate.seal).mine(estate.db, subject)).entries
    assert (entry["room"], entry["reason"]) == ("502", "名册里没有 这一户")
    assert await estate.homes.mine(citizen) == []
    with pytest.raises(HomeDecided) as refused:
        await estate.approves(number)
    assert refused.value.facts == {"state": "rejected"}
    assert await estate.asks(citizen) != number


async def test_nobody_asks_without_having_agreed(estate: Estate) -> None:
    with pytest.raises(ConsentMissing):
        await estate.asks(await estate.citizen(agrees=False))


async def test_a_place_that_has_parts_is_not_where_somebody_lives(estate: Estate) -> None:
    citizen = await estate.citizen()
    for names in (("春风小区", "1栋"), ("春风小区",), ("春风社区",)):
        with pytest.raises(NoSuchPlace):
            await estate.asks(citizen, *names)
    wish = estate.homes.wish("420106001003-aaaaaaaa", "owner", "502", "王秀英")
    for act in (estate.homes.request(wish, citizen, once()), estate.homes.shown(wish)):
        with pytest.raises(NoSuchPlace):
            await act


async def test_the_same_door_is_asked_for_once_and_another_door_as_well(estate: Estate) -> None:
    citizen = await estate.citizen()
    number = await estate.asks(citizen)
    with pytest.raises(HomeKnown) as refused:
        await estate.asks(citizen)
    assert refused.value.facts == {"active": False}
    await estate.approves(number)
    with pytest.raises(HomeKnown) as refused:
        await estate.asks(citizen)
    assert refused.value.facts == {"active": True}
    await estate.asks(citizen, room="503")


async def test_five_homes_and_five_requests_a_week_are_enough(estate: Estate) -> None:
    citizen = await estate.citizen()
    for room in range(5):
        number = await estate.asks(citizen, room=f"{room}01")
        await estate.homes.leave(number, citizen, once())
    with pytest.raises(TooManyHomes):
        await estate.asks(citizen)
    estate.passes(days=7, seconds=1)
    await estate.asks(citizen)


async def test_only_whose_it_is_leaves_it(estate: Estate) -> None:
    citizen, neighbour = await estate.citizen(), await estate.citizen()
    number = await estate.asks(citizen)
    with pytest.raises(NoSuchHome):
        await estate.homes.leave(number, neighbour, once())
    await estate.approves(number)
    await estate.homes.leave(number, citizen, once())
    with pytest.raises(NoSuchHome):
        await estate.homes.leave(number, citizen, once())
    assert await estate.events(number) == [("asked", ""), ("approved", "s_li"), ("left", "")]


async def test_what_nobody_decides_in_seven_days_is_over_and_told(estate: Estate) -> None:
    citizen = await estate.citizen()
    number = await estate.asks(citizen)
    estate.passes(days=6, hours=23)
    assert await estate.homes.expire() == 0
    estate.passes(hours=1)
    with pytest.raises(HomeDecided) as refused:  # also while nobody has ended it yet
        await estate.approves(number)
    assert refused.value.facts == {"state": "expired"}
    assert await estate.homes.expire() == 1
    assert await estate.homes.expire() == 0
    assert (await estate.state(number), await estate.told()) == ("expired", ["home_answered"])


async def test_two_who_decide_at_once_one_of_them_did(estate: Estate) -> None:
    for _ in range(5):
        number = await estate.asks(await estate.citizen())
        outcomes = await asyncio.gather(
            estate.approves(number),
            estate.refuses(number, "不住这里"),
            return_exceptions=True,
        )
        (late,) = [each for each in outcomes if isinstance(each, DomainError)]
        assert isinstance(late, HomeDecided)
        assert late.facts["state"] == await estate.state(number)
        assert len(await estate.events(number)) == 2


async def test_who_agrees_no_more_has_no_home_here_any_more(estate: Estate) -> None:
    citizen, neighbour = await estate.citizen(), await estate.citizen()
    has, asks = await estate.asks(citizen), await estate.asks(citizen, room="503")
    theirs = await estate.asks(neighbour)
    await estate.approves(has)

    async def ends(tx: object, who: str) -> None:
        await rules.let_go(estate.clock, tx, who)  # type: ignore[arg-type] # the transaction it is in

    stores = (estate.db, estate.seal, estate.clock)
    families = Families(*stores, notices_of(estate.seal, estate.clock))
    withdrawing = Withdrawing(estate.db, estate.consents, families, {COMMUNITY: ends})
    await withdrawing.withdraw(citizen, "transit", "", once())
    assert await estate.state(has) == "active", "another consent was taken back"
    await withdrawing.withdraw(citizen, COMMUNITY, "", once())
    assert [await estate.state(each) for each in (has, asks, theirs)] == ["revoked", "revoked", "requested"]
    with pytest.raises(HomeDecided) as refused:
        await estate.approves(asks)
    assert refused.value.facts == {"state": "revoked"}


async def test_an_erased_citizen_leaves_nothing_and_others_keep_theirs(estate: Estate) -> None:
    citizen, neighbour = await estate.citizen(), await estate.citizen()
    await estate.asks(citizen)
    theirs = await estate.asks(neighbour)
    dwellings = Dwellings(estate.seal)
    subject = Subject(citizen, (), (), estate.clock.now())
    (entry,) = (await dwellings.mine(estate.db, subject)).entries
    assert (entry["where"], entry["room"], entry["name"]) == ("春风社区 春风小区 2栋", "502", "王秀英")
    async with estate.db.transaction() as tx:
        assert await dwellings.erase(tx, subject) == {"homes": 1}
        assert await dwellings.erase(tx, subject) == {}
    assert (await dwellings.mine(estate.db, subject)).count == 0
    assert len(await estate.events(theirs)) == 1
    assert await estate.db.fetchval("SELECT count(*) FROM community_home_events") == 1


async def test_what_is_over_goes_after_thirty_days_and_what_is_lived_in_stays(estate: Estate) -> None:
    citizen = await estate.citizen()
    stays, over = await estate.asks(citizen), await estate.asks(citizen, room="503")
    await estate.approves(stays)
    await estate.refuses(over, "不住这里")
    retention = Retention(estate.db, estate.clock, Dwellings(estate.seal).tables)
    estate.passes(days=30)
    await retention.purge()
    assert await estate.state(over) == "rejected"
    estate.passes(seconds=1)
    await retention.purge()
    assert await estate.db.fetchval("SELECT array_agg(id) FROM community_homes") == [stays]
    assert await estate.db.fetchval("SELECT count(*) FROM community_home_events") == 2


async def test_two_accounts_that_are_one_human_have_their_homes_together(estate: Estate) -> None:
    here, there = await estate.citizen(), await estate.citizen()
    homes = [await estate.asks(here), await estate.asks(there, room="503")]
    await estate.approves(homes[0])
    for citizen in (there, here):
        where = await estate.db.fetchval("SELECT conversation FROM accounts WHERE citizen = $1", citizen)
        await estate.citizens.unite(where, "u-1")
    assert [each.id for each in await estate.homes.mine(there)] == homes
    assert await estate.events(homes[0]) == [("asked", ""), ("approved", "s_li")], "nothing happened to it"


async def test_the_database_refuses_a_step_that_there_is_not(estate: Estate) -> None:
    number = await estate.asks(await estate.citizen())
    for change in (
        "state = 'revoked', what = 'ended', changed_at = now()",
        "state = 'active', what = 'refused', decided_by = 'x', changed_at = now()",
        "state = 'rejected', what = 'refused', changed_at = now()",  # by whom?
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await estate.db.execute(f"UPDATE community_homes SET {change}")  # noqa: S608 - above
    assert await estate.state(number) == "requested"


async def test_neither_door_nor_name_stands_anywhere_in_clear(estate: Estate) -> None:
    await estate.asks(await estate.citizen(), room="A-1203", name="欧阳春晓")
    row = await estate.db.fetchrow("SELECT to_jsonb(h)::text AS all FROM community_homes h")
    assert row is not None
    assert not [word for word in ("A-1203", "欧阳") if word in row["all"]]
    assert "欧阳" not in repr(estate.homes.wish("p", "owner", "1", "欧阳春晓"))


@pytest.mark.parametrize(
    ("said", "room"),
    [
        ("502", "502"),
        ("５０２室", "502"),
        ("a-1203", "A-1203"),
        ("2单元 502 号", "2单元502"),
        ("301东户", "301东户"),
        ("地下1", "地下1"),
    ],
)
def test_a_door_is_read_as_it_is_written_on_it(said: str, room: str) -> None:
    assert room_of(said) == room


@pytest.mark.parametrize(
    "said", ["", "不知道", "我住在五楼左边第一家", "<b>1</b>", "1" * 13, "5/02", "2栋", "3号楼"]
)
def test_what_is_no_door_is_asked_again(said: str) -> None:
    with pytest.raises(RoomStrange):
        room_of(said)


@pytest.mark.parametrize("said", ["", "好", "很" * 61, "a\x00b"])
def test_a_reason_can_be_read(said: str) -> None:
    with pytest.raises(ReasonMissing):
        reason_of(said)


async def test_a_compound_is_found_by_what_people_call_it(estate: Estate) -> None:
    async def found(said: str) -> list[str]:
        return [each.name for each in await estate.places.named(said)]

    assert await found("春风小区") == ["春风小区"]
    assert set(await found("春风")) == {"春风小区", "春风社区", "春风里"}
    assert await found("我住在春风里") == ["春风里"]
    assert await found("月亮湾") == []
    with pytest.raises(PlaceNotFound) as refused:
        await estate.places.name("月亮湾")
    assert refused.value.facts == {"said": "月亮湾"}
    assert await estate.places.name("  春风 ") == "春风"


async def test_the_second_house_stands_before_the_tenth(estate: Estate) -> None:
    parts = await estate.places.parts(await estate.place("春风小区"))
    assert [each.name for each in parts] == ["1栋", "2栋", "10栋"]
    assert await estate.places.parts(await estate.place("春风小区", "2栋")) == []


async def test_who_does_not_know_of_grids_is_not_asked_for_one(estate: Estate) -> None:
    """A compound that lies in two grids is one to those who live there."""
    community = next(each for each in await estate.places.named("春风社区") if each.name == "春风社区")
    assert [each.name for each in await estate.places.parts(community.id)] == ["春风小区"]
    assert [each.name for each in await estate.places.named("春风小区")] == ["春风小区"]
