"""`run`: everything on one machine, from the stores to a phone to type on, and nothing left when it ends."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial

import aiohttp

import simulator.app
from commands import days, demo, demo_staff, invented, menu, street, terminal
from commands.bots import menu_of
from commands.cards import played_kinds
from commands.fleet import Companion
from commands.gateway import ADMIN_HOST, SCHEMA, Assemble, Gateway
from commands.lifetime import Lifetime
from commands.memory import settle
from commands.places import MIGRATIONS, ROOT, Places, chosen, key_ring, make_folder
from commands.recurring import recurring
from commands.simulate import (
    pay_books,
    phones,
    platform_accounts,
    played_institutions,
    played_merchant,
)
from commands.surroundings import Surroundings
from core import log
from core.clock import SystemClock
from core.errors import BootError
from core.seal import Seal
from core.stores import keys
from core.stores.embedded.stores import EmbeddedStores, attach
from core.stores.migrations import migrate
from services.transit.pages import CODE
from settings import EMBEDDED, Settings, address, is_wechat_host
from webhooks.serving import PortTakenError, listen, serve

DRAIN_S = 0.5  # the phone page keeps connections open; whoever pressed Ctrl-C does not want to wait for them
_LOOK_S = 0.25
_TOLD_S = 3.0  # who tells every process to end, as a manager does, tells us too, if a moment later
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
        settings = invented.as_run(settings)
        if sockets.simulator is not None:
            for key in settings.accounts:
                menu_of(settings, key)  # a bot without a menu is told before anything is started
        seal = open_ring(settings)
        log.configure()
        lifetime = Lifetime(asked=_say_stopping, at_once=stack.close)
        terminal.say("\n便民 Bianmin\n")
        stores = None
        found = Places(settings.stores.redis_url, settings.stores.database_url)
        if settings.stores.embedded:
            stores = EmbeddedStores.start(settings.stores.folder)
            stack.callback(stores.stop)
            found = chosen(settings.stores, stores)
        around = Surroundings(settings, found.redis_url, found.database_url, seal, SystemClock())
        code = lifetime.run(Everything(around, assemble, sockets, stores, began).live())
    if code == 0:
        terminal.say("已停止 Stopped")
    return code


def _say_stopping() -> None:
    # The terminal may have gone away; and a signal may come in the middle of printing.
    with suppress(OSError, RuntimeError):
        terminal.say("\n停止 Stopping … (Ctrl-C 再按一次立即结束 again: at once)")


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
        """Start, tell the addresses, stay; 1 when a store of ours ends without us."""
        async with AsyncExitStack() as stack:
            gateway = await self._start(stack)
            links = self._links(await self._console(gateway))
            settle()
            terminal.say(f"\n准备好了 Ready after {time.monotonic() - self.began:.1f} s\n")
            terminal.addresses(links)
            terminal.say(f"数据在 Data stays in {self.settings.stores.folder} · Ctrl-C 停止 stops everything")
            await self._beside(gateway, stack)
            return await self._watch()

    async def _start(self, stack: AsyncExitStack) -> Gateway:
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
        await stack.enter_async_context(recurring(gateway, partial(self._open_days, gateway)))
        return gateway

    async def _beside(self, gateway: Gateway, stack: AsyncExitStack) -> None:
        """Start who signs ride codes, and then the gates, which ask them: nobody waits for either."""
        issuer = Companion([sys.executable, str(ROOT / "main.py"), "issue"])
        await stack.enter_async_context(_kept(issuer))
        if self._gates:
            network = gateway.services.transit.timetable.network
            gates = await street.stand(self.settings, network, gateway.db, self.around.clock)
            if gates:
                await stack.enter_async_context(_kept(gates, issuer))

    @property
    def _gates(self) -> str:
        """Where the demo city's gates are; "" where there are none, as in a city of one's own."""
        return street.address_of(self.settings) if self._is_ours and self.sockets.simulator else ""

    def _stage(self, gateway: Gateway) -> demo.Stage:
        return demo.Stage(gateway.db, gateway.services.citizens, gateway.services.hospital, self.around.clock)

    async def _schema(self, gateway: Gateway) -> None:
        applied = await migrate(self.around.database_url, MIGRATIONS)
        gateway.health.done(SCHEMA, "已是最新")
        terminal.done(
            "数据结构 Schema", f"更新 {len(applied)} 步 applied" if applied else "已是最新 up to date"
        )

    async def _city(self, gateway: Gateway) -> None:
        """Put the demo city into a database of ours; one that is somebody's own gets nothing invented."""
        if self._is_ours:
            await demo.load(self._stage(gateway))
            gateway.health.done(DEMO_CITY, f"可预约今天起 {days.DAYS} 天内")
            terminal.done(
                "演示城市 Demo city", f"可预约今天起 {days.DAYS} 天内 open for {days.DAYS} days ahead"
            )
            return
        await self._open_days(gateway)
        gateway.health.done(DEMO_CITY, "自备数据库，不写入演示数据")
        terminal.done(
            "演示城市 Demo city",
            "自备数据库，不写入 not into a database of your own; "
            "hospitals come by: .venv/bin/python main.py catalogue load FOLDER",
        )

    async def _open_days(self, gateway: Gateway) -> None:
        if self._is_ours:
            await demo.open_new_days(self._stage(gateway))
        else:
            await days.open_new_days(gateway.db, self.around.clock)

    @property
    def _is_ours(self) -> bool:
        return self.settings.stores.database_url == EMBEDDED

    async def _phone(self, gateway: Gateway, stack: AsyncExitStack) -> None:
        """Start the simulator and set the menus on it; the menu of a real account is set on purpose only."""
        if self.sockets.simulator is None:
            gateway.health.done(MENU, "真实公众号，未改动")
            return
        simulated = self.settings.simulator
        accounts = platform_accounts(self.settings, played_kinds(self.settings))
        app = simulator.app.build(accounts, retry_s=simulated.retry_s, store=phones(self.settings))
        if merchant := played_merchant(self.settings):
            simulator.app.play_pay(app, merchant, books=pay_books(self.settings))
        for each in played_institutions(self.settings):
            app[simulator.app.INSTITUTIONS].add(each)
        ways = {"ride": f"{self.settings.server.url}{CODE}", "gates": self._gates}
        app[simulator.app.WECHAT].ways = {name: way for name, way in ways.items() if way}
        runner = await serve(app, self.sockets.simulator, drain_s=DRAIN_S)
        stack.push_async_callback(runner.cleanup)
        async with aiohttp.ClientSession() as http:
            for key in self.settings.accounts:
                await menu.set_menu(http, self.settings, key, menu_of(self.settings, key))
        gateway.health.done(MENU, "已设置")
        terminal.done("菜单 Menu", "已设置 in place")

    def _links(self, console: str) -> Mapping[str, str]:
        """Where to go now: the phone, or beside WeChat itself what it is to be told, console and health."""
        health = {
            "工作台 Console": console,
            "状态 Health": f"{address(ADMIN_HOST, self.settings.server.admin_port)}/",
        }
        if self.sockets.simulator is None:
            return {"网关 Gateway": self.settings.server.url, **health}
        gates = {"闸机 Gates": self._gates} if self._gates else {}
        return {"手机 Phone": self._phone_page(), **gates, **health}

    def _phone_page(self) -> str:
        return f"{self.settings.simulator.url}/phone"

    async def _console(self, gateway: Gateway) -> str:
        """How to look into the console: into that of a demo city with an invented name and password."""
        url = f"{self.settings.server.url}/console"
        if not self._is_ours:
            return url
        folder = self.settings.stores.folder
        login = await demo_staff.employed(gateway.db, self.around.seal, self.around.clock, folder)
        if login is None:
            return f"{url}  密码已改 with the password you gave"
        return f"{url}  名字 name: {login.name}  密码 password: {login.password}"

    async def _watch(self) -> int:
        """Stay until cancelled, or until a store of ours ends without us."""
        while True:
            ended = self.stores.ended() if self.stores else None
            if ended:
                if ended.told:
                    await asyncio.sleep(_TOLD_S)
                terminal.complain(
                    f"{ended}, so everything ends; its log is in {self.settings.stores.folder}. Start again."
                )
                return 1
            await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def _kept(companion: Companion, after: Companion | None = None) -> AsyncIterator[None]:
    """Keep one alive beside us, from when `after` is ready."""
    keeping = asyncio.create_task(companion.keep(after))
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])
