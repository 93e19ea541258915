"""`run`: everything on one machine, from the stores to a phone to type on, and nothing left when it ends."""

import asyncio
import importlib
import socket
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass

import aiohttp
import msgspec

import simulator.app
from clients.wechat import WeChat
from commands import demo, invented, terminal
from commands.gateway import ADMIN_HOST, SCHEMA, Assemble, Gateway, Surroundings
from commands.jobs import Jobs, expire_holds
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.places import MIGRATIONS, Places, chosen, key_ring, make_folder
from commands.simulate import phones, platform_accounts
from core import log
from core.clock import SystemClock
from core.errors import BootError
from core.seal import Seal
from core.stores import keys
from core.stores.embedded.stores import EmbeddedStores, attach
from core.stores.migrations import migrate
from settings import EMBEDDED, Settings, address, is_wechat_host, require_credentials
from webhooks.serving import PortTakenError, listen, serve

DRAIN_S = 0.5  # the phone page keeps connections open; whoever pressed Ctrl-C does not want to wait for them
_LOOK_S = 0.25
DEMO_CITY = "演示城市"
MENU = "菜单"


@dataclass(frozen=True, slots=True)
class Sockets:
    """The ports, taken before anything is started. No simulator beside WeChat itself."""

    public: socket.socket
    admin: socket.socket
    simulator: socket.socket | None


def run(settings: Settings, assemble: Assemble) -> int:
    """Start everything, stay until asked to end, stop everything."""
    began = time.monotonic()
    with ExitStack() as stack:
        sockets = take_ports(settings, stack)
        make_folder(settings.stores)
        settings = prepared(settings)
        seal = open_ring(settings)
        log.configure()
        lifetime = Lifetime()
        terminal.say("\n便民 Bianmin\n")
        stores = None
        found = Places(settings.stores.redis_url, settings.stores.database_url)
        if settings.stores.embedded:
            stores = EmbeddedStores.start(settings.stores.folder)
            stack.callback(stores.stop)
            found = chosen(settings.stores, stores)
        around = Surroundings(settings, found.redis_url, found.database_url, seal, SystemClock())
        code = lifetime.run(Everything(around, assemble, sockets, stores, began).live())
        terminal.say("\n停止 Stopping …")
    if code == 0:
        terminal.say("已停止 Stopped")
    return code


def take_ports(settings: Settings, stack: ExitStack) -> Sockets:
    """Listen on every port this needs, or say in one line which one is taken, and by whom if it is us."""
    server, simulated = settings.server, settings.simulator
    try:
        public = stack.enter_context(listen(server.host, server.port, "server.port"))
        admin = stack.enter_context(listen(ADMIN_HOST, server.admin_port, "server.admin_port"))
        phone = None
        if not is_wechat_host(settings.wechat.api_base):
            phone = stack.enter_context(listen(simulated.host, simulated.port, "simulator.port"))
    except PortTakenError as taken:
        raise BootError(_who_has(settings, taken)) from taken
    return Sockets(public, admin, phone)


def _who_has(settings: Settings, taken: PortTakenError) -> str:
    try:
        other = attach(settings.stores.folder)
    except BootError:
        return str(taken)
    return (
        f"Bianmin is running already (pid {other.pid}) on {settings.stores.folder}: use it, or stop it first"
    )


def prepared(settings: Settings) -> Settings:
    """The settings as `run` uses them: credentials for each account, WeChat's API played by the simulator."""
    if is_wechat_host(settings.wechat.api_base):
        require_credentials(settings)
        return settings
    pointed = msgspec.structs.replace(
        settings.wechat, api_base=settings.wechat.api_base or settings.simulator.url
    )
    return msgspec.structs.replace(invented.completed(settings), wechat=pointed)


def open_ring(settings: Settings) -> Seal:
    """The key ring; made here only where the database is ours and empty, because lost keys are lost data."""
    stores = settings.stores
    path = key_ring(stores)
    if path.exists() or stores.database_url != EMBEDDED:
        return keys.load(path)
    if (stores.folder / "pg").exists():
        raise BootError(
            f"{path} is gone, and {stores.folder / 'pg'} cannot be read without it: "
            f"put it back, or delete {stores.folder} to begin anew"
        )
    return keys.load_or_create(path)


@dataclass(frozen=True, slots=True)
class Everything:
    """All of it, inside the event loop."""

    around: Surroundings
    assemble: Assemble
    sockets: Sockets
    stores: EmbeddedStores | None
    began: float

    @property
    def settings(self) -> Settings:
        return self.around.settings

    async def live(self) -> int:
        """Start, tell the addresses, stay; 1 when a store of ours ends by itself."""
        async with AsyncExitStack() as stack:
            await self._start(stack)
            settle()
            terminal.say(f"\n准备好了 Ready after {time.monotonic() - self.began:.1f} s\n")
            terminal.addresses(self._links())
            terminal.say(f"数据在 Data stays in {self.settings.stores.folder} · Ctrl-C 停止 stops everything")
            return await self._watch()

    async def _start(self, stack: AsyncExitStack) -> None:
        gateway = await self.assemble(self.around)
        stack.push_async_callback(gateway.close)
        gateway.health.require(SCHEMA, DEMO_CITY, MENU)
        if self.sockets.simulator is not None:
            gateway.health.link({"手机页面": self._phone_page()})
        await gateway.serve(self.sockets.public, self.sockets.admin, drain_s=DRAIN_S)
        terminal.done(
            "存储 Stores", " · ".join(each.detail for each in (await gateway.health.report()).stores)
        )
        await self._schema(gateway)
        await self._city(gateway)
        await self._phone(gateway, stack)
        jobs = Jobs()
        demo.keep_open(jobs, self._stage(gateway))
        expire_holds(jobs, gateway.hospital)
        jobs.start()
        stack.callback(jobs.stop)

    def _stage(self, gateway: Gateway) -> demo.Stage:
        return demo.Stage(gateway.db, gateway.citizens, gateway.hospital, self.around.clock)

    async def _schema(self, gateway: Gateway) -> None:
        applied = await migrate(self.around.database_url, MIGRATIONS)
        gateway.health.done(SCHEMA, "已是最新")
        terminal.done(
            "数据结构 Schema", f"更新 {len(applied)} 步 applied" if applied else "已是最新 up to date"
        )

    async def _city(self, gateway: Gateway) -> None:
        await demo.load(self._stage(gateway))
        gateway.health.done(DEMO_CITY, f"可预约今天起 {demo.DAYS} 天内")
        terminal.done("演示城市 Demo city", f"可预约今天起 {demo.DAYS} 天内 open for {demo.DAYS} days ahead")

    async def _phone(self, gateway: Gateway, stack: AsyncExitStack) -> None:
        """Start the simulator and set the menus on it; the menu of a real account is set on purpose only."""
        if self.sockets.simulator is None:
            gateway.health.done(MENU, "真实公众号，未改动")
            return
        simulated = self.settings.simulator
        accounts = platform_accounts(self.settings)
        app = simulator.app.build(accounts, retry_s=simulated.retry_s, store=phones(self.settings))
        runner = await serve(app, self.sockets.simulator, drain_s=DRAIN_S)
        stack.push_async_callback(runner.cleanup)
        async with aiohttp.ClientSession() as http:
            for account in self.settings.accounts.values():
                wechat = WeChat(http, self.settings.wechat.url, appid=account.appid, secret=account.secret)
                await wechat.create_menu(importlib.import_module(account.bot).MENU)
        gateway.health.done(MENU, "已设置")
        terminal.done("菜单 Menu", "已设置 in place")

    def _links(self) -> Mapping[str, str]:
        links = {}
        if self.sockets.simulator is not None:
            links["手机 Phone"] = self._phone_page()
        links["状态 Health"] = f"{address(ADMIN_HOST, self.settings.server.admin_port)}/"
        links["网关 Gateway"] = self.settings.server.url
        return links

    def _phone_page(self) -> str:
        return f"{self.settings.simulator.url}/phone"

    async def _watch(self) -> int:
        """Stay until cancelled, or until a store of ours ends by itself."""
        while True:
            died = self.stores.died() if self.stores else None
            if died:
                terminal.complain(
                    f"{died} ended by itself; its log is in {self.settings.stores.folder}. Start again."
                )
                return 1
            await asyncio.sleep(_LOOK_S)
