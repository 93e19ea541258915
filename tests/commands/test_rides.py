"""Where the settings name lines, gates have their door and the clock its work; elsewhere there is neither."""

from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest

from commands.gateway import Gateway
from commands.jobs import Jobs
from commands.places import DEMO_TRANSIT
from commands.rides import ride
from commands.surroundings import Surroundings
from core.clock import ManualClock
from core.errors import BootError
from core.schedule.leases import Leases
from core.seal import Seal
from core.stores.redis import Redis
from main import assemble
from settings import Issuer, Settings, Transit
from tests.support.city import ACCOUNT
from webhooks.assets import Assets

GATES = {"POST /api/transit/taps": "device", "GET /api/transit/trust": "device"}
PAGES = {
    "GET /transit": "citizen",
    "POST /transit/grant": "citizen",
    "GET /transit/picture": "citizen",
    "POST /transit/picture": "citizen",
    "GET /transit/open": "citizen",
    "POST /transit/open": "citizen",
    "GET /transit/trips": "citizen",
    "GET /transit/pay": "citizen",
    "POST /transit/pay": "citizen",
    "GET /transit/close": "citizen",
    "POST /transit/close": "citizen",
}
SCRIPTS = {f"GET {Assets().address(name)}": "anyone" for name in ("qr.js", "ride-code.js", "ride-page.js")}
RECURRING = {"settle_rides", "close_days", "close_ride_accounts"}


@pytest.fixture
def around(redis: Redis, redis_url: str, db_url: str, seal: Seal, clock: ManualClock) -> Surroundings:
    del redis  # empty now
    return Surroundings(Settings(accounts={"city": ACCOUNT}), redis_url, db_url, seal, clock)


@pytest.fixture
async def city(around: Surroundings) -> AsyncIterator[Gateway]:
    """A city with the demo's lines."""
    settings = msgspec.structs.replace(around.settings, transit=Transit(folder=str(DEMO_TRANSIT)))
    opened = await assemble(replace(around, settings=settings))
    yield opened
    await opened.close()


@pytest.fixture
async def village(around: Surroundings) -> AsyncIterator[Gateway]:
    """A place where nothing runs."""
    opened = await assemble(around)
    yield opened
    await opened.close()


def recurring(gateway: Gateway) -> set[str]:
    """What the clock has to do for rides."""
    jobs = Jobs(Leases(gateway.db))
    ride(jobs, gateway.services.transit)
    return set(jobs.names)


async def test_a_city_whose_rides_no_code_is_good_for_does_not_start(around: Surroundings) -> None:
    lines, issuer = Transit(folder=str(DEMO_TRANSIT)), Issuer(cap_fen=499)
    settings = msgspec.structs.replace(around.settings, transit=lines, issuer=issuer)
    with pytest.raises(BootError, match="dearest ride of tariff 2026-1 is 500 fen"):
        await assemble(replace(around, settings=settings))


async def test_gates_have_a_door_and_the_clock_its_work(city: Gateway) -> None:
    assert GATES.items() <= city.app.callers.items()
    assert recurring(city) == RECURRING
    assert city.services.transit.quote("zhongnan", "guanggu").fen == 400


async def test_riders_have_pages_where_lines_run_and_nothing_else_is_there_besides(
    city: Gateway, village: Gateway
) -> None:
    more = {door: who for door, who in city.app.callers.items() if door not in village.app.callers}
    assert more == GATES | PAGES | SCRIPTS


async def test_where_nothing_runs_there_is_neither(village: Gateway) -> None:
    assert not GATES.keys() & village.app.callers.keys()
    assert recurring(village) == set()
    assert not village.services.transit.runs


async def test_whoever_is_told_of_payments_for_rides_is_the_transit(city: Gateway, village: Gateway) -> None:
    for gateway in (city, village):
        assert gateway.services.payments._reports.of("transit") is gateway.services.transit
