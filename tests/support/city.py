"""The whole city in one process: gateway, demo city and simulator on free ports, over a test's own stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

import simulator.app
from bots.city import MENU
from clients.wechat import Credentials, Platform, WeChat
from commands import demo
from commands.cards import played_kinds
from commands.gateway import Gateway
from commands.places import DEMO_TRANSIT
from commands.simulate import platform_accounts, played_institutions
from commands.surroundings import Surroundings
from core.clock import Clock
from core.seal import Seal
from main import assemble
from settings import Account, Institution, Server, Settings, Transit, address
from settings import Simulator as SimulatorSettings
from settings import WeChat as SimulatedWeChat
from webhooks.serving import listen, serve

ACCOUNT = Account(
    name="云汀便民",
    original_id="gh_0a1b2c3d4e5f",
    appid="wx00112233445566aa",
    secret="a-secret-of-the-tests",
    token="atokenofthetests",
    aes_key="abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a test keeps its city: the stores, the seal, the time."""

    redis_url: str
    db_url: str
    seal: Seal
    clock: Clock


@dataclass(frozen=True, slots=True)
class City:
    """A running city and a client for the simulator's script API."""

    gateway: Gateway
    http: aiohttp.ClientSession
    url: str  # of the simulator
    public_url: str  # of the gateway

    async def says(self, openid: str, text: str) -> str:
        """A citizen writes; what the account replied, or the platform's notice."""
        return await self.sends(openid, type="text", content=text)

    async def sends(self, openid: str, **message: object) -> str:
        """A citizen sends anything; the text of what came back."""
        result = await self.push(openid, **message)
        reply = result["reply"]
        return str(reply["content"] if reply else result["notice"])

    async def booked(self) -> int:
        """How many numbers this account's citizens have; the demo's neighbours do not count."""
        count = await self.gateway.db.fetchval(
            """
            SELECT count(*) FROM units u JOIN bookings b ON b.id = u.booking JOIN accounts a USING (citizen)
            WHERE u.state = 'booked' AND a.account = 'city'
            """
        )
        return int(count)

    async def push(self, openid: str, **message: object) -> dict[str, Any]:
        """The simulator's whole account of one push."""
        body = {"account": "city", "openid": openid, **message}
        async with self.http.post(f"{self.url}/sim/messages", json=body) as answer:
            result: dict[str, Any] = await answer.json()
            assert answer.status == 200, result
            return result


@asynccontextmanager
async def running_city(
    place: Place, *, retry_s: float = 5.0, store: Path | None = None
) -> AsyncIterator[City]:
    """Start it all, ready; stop it all."""
    public, admin, simulated = (listen("127.0.0.1", 0, "test") for _ in range(3))
    settings = Settings(
        server=Server(port=public.getsockname()[1], admin_port=admin.getsockname()[1]),
        simulator=SimulatorSettings(port=simulated.getsockname()[1]),
        wechat=SimulatedWeChat(
            api_base=address("127.0.0.1", simulated.getsockname()[1]), quiet_hours="00:00-00:00"
        ),
        accounts={"city": ACCOUNT},
        transit=Transit(folder=str(DEMO_TRANSIT)),
        institutions={
            "renmin": Institution(
                title="云汀市人民医院",
                url=f"{address('127.0.0.1', simulated.getsockname()[1])}/institution/renmin",
                secret="a-secret-that-the-hospital-knows-too",
                knows_guardians=True,
            )
        },
    )
    gateway = await assemble(Surroundings(settings, place.redis_url, place.db_url, place.seal, place.clock))
    try:
        await demo.load(
            demo.Stage(gateway.db, gateway.services.citizens, gateway.services.hospital, place.clock)
        )
        gateway.health.require("all")
        gateway.health.done("all")
        await gateway.serve(public, admin, drain_s=0.2)
        platform = simulator.app.build(
            platform_accounts(settings, played_kinds(settings)), retry_s=retry_s, store=store
        )
        for institution in played_institutions(settings):
            platform[simulator.app.INSTITUTIONS].add(institution)
        runner = await serve(platform, simulated, drain_s=0.2)
        try:
            async with aiohttp.ClientSession() as http:
                wechat = Platform(http, settings.simulator.url, place.clock)
                await WeChat(wechat, Credentials("city", ACCOUNT.appid, ACCOUNT.secret)).menus.create(MENU)
                yield City(gateway, http, settings.simulator.url, settings.server.url)
        finally:
            await runner.cleanup()
    finally:
        await gateway.close()
