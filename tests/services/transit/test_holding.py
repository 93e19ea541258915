"""What is known of rides while they are somebody's, and what is left of them afterwards."""

from datetime import time, timedelta

import pytest

from core.clock import CITY_ZONE
from core.privacy.holdings import Portion, Subject
from core.privacy.retention import Retention
from services.transit.holding import GRANTS_KEPT, PLACES_KEPT, Rides
from services.transit.model import Reason
from tests.services.transit.line import Line, after

RIDES = Rides()


async def subject(line: Line, account: str) -> Subject:
    citizen = await line.db.fetchval("SELECT citizen FROM transit_accounts WHERE id = $1", account)
    return Subject(citizen, (), (), line.clock.now())


async def rides(line: Line, account: str, way_out: str = "guanggu") -> None:
    for place, way, at in (("zhongnan", "in", after(0)), (way_out, "out", after(25))):
        await line.uploads(*await line.tap(account, place, way, at))
    await line.settles()


async def closes(line: Line, account: str) -> None:
    for step, state in enumerate(("closing", "closed"), start=2):
        await line.db.execute(
            "UPDATE transit_accounts SET state = $2, what = $2, step = $3 WHERE id = $1", account, state, step
        )


async def mine(line: Line, account: str) -> Portion:
    return await RIDES.mine(line.db, await subject(line, account))


async def erased(line: Line, account: str) -> None:
    async with line.db.transaction() as tx:
        await RIDES.erase(tx, await subject(line, account))


async def test_a_rider_sees_their_own_rides_and_nobody_elses(line: Line) -> None:
    rider, other = await line.rider(), await line.rider()
    await rides(line, rider)
    await rides(line, other, "wuchang")
    found = await mine(line, rider)
    assert (found.name, found.count) == ("rides", 1)
    (ride,) = found.entries
    assert (ride["from_station"], ride["to_station"], ride["fare_fen"]) == ("zhongnan", "guanggu", 400)


async def test_who_owes_is_known_until_it_is_paid(line: Line) -> None:
    rider = await line.rider()
    await rides(line, rider)
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 2, "an account in use, and a debt"
    await line.pays("p1")
    await closes(line, rider)
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 0


async def test_who_is_suspended_and_owes_nothing_could_not_be_erased(line: Line) -> None:
    """She cannot close it herself, and nothing is open of it."""
    rider = await line.rider()
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 1
    await line.db.execute("UPDATE transit_accounts SET state = 'suspended', what = 'suspended', step = 2")
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 0


async def test_arrears_keep_their_rider(line: Line) -> None:
    rider = await line.rider()
    await rides(line, rider)
    await line.fails("p1")
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 2


async def test_taps_that_are_not_priced_yet_keep_their_rider(line: Line) -> None:
    rider = await line.rider()
    await closes(line, rider)
    device, sent = await line.tap(rider, "zhongnan", "in", after(0))
    await line.uploads(device, sent)
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 1
    await line.settles()
    assert await RIDES.obligations(line.db, await subject(line, rider)) == 1, "and who is under way"


async def test_nobody_knows_afterwards_where_it_was_and_the_books_stand(line: Line) -> None:
    rider, other = await line.rider(), await line.rider()
    await rides(line, rider)
    await rides(line, other)
    await line.pays("p1")
    before = [await line.balance(name) for name in ("rider", "fares", "bank")]
    await erased(line, rider)
    (ride,) = (await mine(line, rider)).entries
    assert (ride["from_station"], ride["to_station"], ride["line"], ride["fare_fen"]) == ("", "", "", 400)
    assert ride["began_at"] == ride["ended_at"], "the day stays, the time goes"
    assert [await line.balance(name) for name in ("rider", "fares", "bank")] == before
    assert (await mine(line, other)).entries[0]["from_station"] == "zhongnan"
    async with line.db.transaction() as tx:
        assert await RIDES.stays(tx, await subject(line, rider)) == {"rides": 1}


async def test_a_tap_that_comes_after_the_end_is_nobodys(line: Line) -> None:
    rider = await line.rider()
    device, late = await line.tap(rider, "zhongnan", "in", after(0))
    await erased(line, rider)
    assert (await line.uploads(device, late)).quarantined == {late.seq: Reason.UNKNOWN_CODE}


async def test_a_ride_under_way_is_over_when_its_rider_is_erased(line: Line) -> None:
    """Pairing such a day again would look for a station that is not there any more."""
    rider = await line.rider()
    await line.uploads(*await line.tap(rider, "zhongnan", "in", after(0)))
    await line.settles()
    await line.uploads(*await line.tap(rider, "guanggu", "out", after(20)))
    await erased(line, rider)
    line.clock.move(timedelta(days=2))
    await line.settling.close_days()
    await line.settles()
    assert await line.trips(rider) == [("missing_exit", "none", 0)]


@pytest.mark.parametrize(("late", "left"), [(timedelta(0), 1), (timedelta(minutes=30), 0)])
async def test_whose_a_code_was_is_forgotten(line: Line, late: timedelta, left: int) -> None:
    await line.grant(await line.rider(), line.clock.now())
    line.clock.move(GRANTS_KEPT + late)
    await Retention(line.db, line.clock, RIDES.tables).purge()
    assert await line.db.fetchval("SELECT count(*) FROM transit_grants") == left


async def test_where_somebody_rode_was_kept_as_long_as_the_books(line: Line) -> None:
    """After 180 days the places and the time of day go; what it cost stays, for the books."""
    rider = await line.rider()
    await rides(line, rider)
    retention = Retention(line.db, line.clock, RIDES.tables)

    async def purged() -> int:
        return next(each.removed for each in await retention.purge() if each.table == "transit_taps")

    line.clock.move(PLACES_KEPT - timedelta(hours=5))
    assert await purged() == 0, "not yet"
    assert (await mine(line, rider)).entries[0]["to_station"] == "guanggu"
    line.clock.move(timedelta(hours=5))
    assert await purged() == 2
    (ride,) = (await mine(line, rider)).entries
    assert (ride["line"], ride["from_station"], ride["to_station"], ride["fare_fen"]) == ("", "", "", 400)
    assert {
        row[0].astimezone(CITY_ZONE).time() for row in await line.db.fetch("SELECT at FROM transit_taps")
    } == {time()}
    line.clock.move(timedelta(days=1))
    assert await purged() == 0, "once"
