"""The composition root: what is assembled stays shut until everything is in place, and then answers."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from commands.gateway import Gateway
from commands.jobs import Jobs, ask_unionids
from commands.surroundings import Surroundings
from core.chat.events import Event, Kind
from core.clock import ManualClock
from core.errors import BootError
from core.schedule.leases import Leases
from core.seal import Seal
from main import assemble
from settings import Settings
from tests.support.city import ACCOUNT
from webhooks.serving import listen


@pytest.fixture
def around(redis_url: str, db_url: str, seal: Seal, clock: ManualClock) -> Surroundings:
    return Surroundings(Settings(accounts={"city": ACCOUNT}), redis_url, db_url, seal, clock)


@pytest.fixture
async def gateway(around: Surroundings) -> AsyncIterator[Gateway]:
    opened = await assemble(around)
    yield opened
    await opened.close()


async def test_the_door_answers_503_until_everything_is_in_place(gateway: Gateway) -> None:
    public, admin = listen("127.0.0.1", 0, "test"), listen("127.0.0.1", 0, "test")
    url = f"http://127.0.0.1:{public.getsockname()[1]}"
    gateway.health.require("数据结构", "演示城市")
    await gateway.serve(public, admin, drain_s=1)

    async def statuses() -> list[int]:
        found = []
        for path in ("/healthz", "/readyz", "/wechat/city?signature=0&timestamp=0&nonce=0"):
            async with http.post(f"{url}{path}") if "wechat" in path else http.get(f"{url}{path}") as answer:
                found.append(answer.status)
        return found

    async with aiohttp.ClientSession() as http:
        assert await statuses() == [200, 503, 503]
        gateway.health.done("数据结构")
        assert await statuses() == [200, 503, 503]
        gateway.health.done("演示城市")
        alive, ready, refused = await statuses()
    assert (alive, ready) == (200, 200)
    assert 400 <= refused < 500, "the door is open, and this push is not WeChat's"


async def test_every_route_says_who_may_call_it(gateway: Gateway) -> None:
    assert gateway.app.callers == {
        "GET /wechat/city": "wechat",
        "POST /wechat/city": "wechat",
        "POST /pay/notify/contract": "wechat",
        "POST /pay/notify/debit": "wechat",
        "POST /pay/notify/refund": "wechat",
        "GET /visit": "citizen",
        "GET /visit.ics": "citizen",
        "POST /visit/come": "citizen",
        "GET /visit/cancel": "citizen",
        "POST /visit/cancel": "citizen",
        "GET /visit/move": "citizen",
        "POST /visit/move": "citizen",
        "GET /login": "anyone",
        "GET /login/city": "citizen",
        "POST /logout": "citizen",
        "POST /logout/all": "citizen",
        "GET /type": "anyone",
        "GET /me": "citizen",
        "GET /me/looks": "citizen",
        "GET /me/binding": "citizen",
        "POST /me/binding": "citizen",
        "GET /me/consent": "citizen",
        "POST /me/consent": "citizen",
        "GET /console/login": "anyone",
        "POST /console/login": "anyone",
        "POST /console/logout": "staff",
        "GET /console": "staff",
        "GET /console/password": "staff",
        "POST /console/password": "staff",
        "GET /console/bindings": "staff",
        "POST /console/bindings": "staff",
        "GET /console/homes": "staff",
        "POST /console/homes": "staff",
        "GET /console/messages": "staff",
        "POST /console/messages": "staff",
        "GET /export": "citizen",
        "POST /export": "citizen",
        "GET /healthz": "anyone",
        "GET /readyz": "anyone",
    }
    assert set(gateway.admin.callers.values()) == {"operator"}


async def test_a_store_that_is_not_there_stops_the_boot(around: Surroundings, tmp_path: Path) -> None:
    for change in (
        {"redis_url": f"unix://{tmp_path}/nobody"},
        {"database_url": f"postgresql:///nobody?host={tmp_path}"},
    ):
        elsewhere = Surroundings(**{name: getattr(around, name) for name in around.__slots__} | change)
        with pytest.raises(BootError, match="cannot be reached"):
            await assemble(elsewhere)


async def test_a_database_that_does_not_exist_is_one_clear_line(around: Surroundings) -> None:
    path = around.database_url.replace("/test_", "/no_such_test_")
    assert path != around.database_url
    elsewhere = Surroundings(around.settings, around.redis_url, path, around.seal, around.clock)
    with pytest.raises(BootError, match=r"PostgreSQL does not let us in .*stores\.database_url"):
        await assemble(elsewhere)


async def test_a_bot_that_is_not_there_stops_the_boot(around: Surroundings) -> None:
    other = msgspec.structs.replace(ACCOUNT, bot="bots.elsewhere")
    settings = Settings(accounts={"city": ACCOUNT, "other": other})
    two = Surroundings(settings, around.redis_url, around.database_url, around.seal, around.clock)
    with pytest.raises(BootError, match=r"bots\.elsewhere"):
        await assemble(two)


async def test_each_account_answers_with_its_own_name(around: Surroundings) -> None:
    other = msgspec.structs.replace(ACCOUNT, name="江城便民", appid="wx99", original_id="gh_99")
    settings = Settings(accounts={"city": ACCOUNT, "other": other})
    gateway = await assemble(
        Surroundings(settings, around.redis_url, around.database_url, around.seal, around.clock)
    )
    for key, name in (("city", ACCOUNT.name), ("other", "江城便民")):
        conversation = around.seal.conversation(key, "o1")
        event = Event(
            id=f"{conversation}:e:1:subscribe::0",
            account=key,
            openid="o1",
            kind=Kind.SUBSCRIBE,
            at=around.clock.now(),
        )
        said = await gateway.dispatchers[key].receive(event, asyncio.get_running_loop().time())
        assert said is not None
        assert name in said.text
    await gateway.close()


async def test_unionids_are_asked_for_where_the_settings_name_an_open_platform_account(
    around: Surroundings,
) -> None:
    bound = msgspec.structs.replace(ACCOUNT, appid="wx99", original_id="gh_99", open_platform="城市")
    settings = Settings(accounts={"city": ACCOUNT, "school": bound})
    gateway = await assemble(
        Surroundings(settings, around.redis_url, around.database_url, around.seal, around.clock)
    )
    jobs = Jobs(Leases(gateway.db))
    ask_unionids(jobs, gateway.unionids)
    assert (gateway.unionids.accounts, jobs.names) == (("school",), ["ask_unionids"])
    await gateway.close()


async def test_control_without_one_nothing_is_ever_asked(gateway: Gateway) -> None:
    jobs = Jobs(Leases(gateway.db))
    ask_unionids(jobs, gateway.unionids)
    assert (gateway.unionids.accounts, jobs.names) == ((), [])
