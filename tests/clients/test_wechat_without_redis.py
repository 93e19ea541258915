"""Without the shared copy late messages go out all the same: the cache is a saving, not a need."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from structlog.testing import capture_logs

from core.chat.replies import Said
from core.clock import ManualClock
from core.delivery.sender import Sent
from tests.clients.conftest import MakeGateway
from tests.clients.platform import OPENID, Weixin

LATE = Said(type="text", at=0, text="您的预约成功")


@dataclass
class Way:
    """The way to Redis: `hangs` swallows what is said on it, `close` cuts it."""

    port: int = 0
    hangs: bool = False
    ends: list[asyncio.StreamWriter] = field(default_factory=list)
    server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def close(self) -> None:
        assert self.server is not None
        self.server.close()
        for end in self.ends:
            end.transport.abort()


@asynccontextmanager
async def a_way_to(redis_url: str) -> AsyncIterator[Way]:
    way = Way()
    talks: set[asyncio.Task[None] | None] = set()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if not way.hangs:
                writer.write(data)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())
        behind, before = await asyncio.open_unix_connection(urlsplit(redis_url).path)
        way.ends += [writer, before]
        try:
            await asyncio.gather(copy(reader, before), copy(behind, writer))
        except ConnectionError:
            return

    way.server = await asyncio.start_server(talk, "127.0.0.1", 0)
    way.port = way.server.sockets[0].getsockname()[1]
    try:
        yield way
    finally:
        way.close()
        await asyncio.gather(*(each for each in talks if each), return_exceptions=True)  # none is cut short


@pytest.mark.parametrize("how", ["gone", "hangs"])
async def test_a_token_is_asked_for_directly(
    weixin: Weixin, make_gateway: MakeGateway, redis_url: str, how: str
) -> None:
    await weixin.writes()
    async with a_way_to(redis_url) as way:
        sender = (await make_gateway(way.url)).sender(weixin.url)
        if how == "gone":
            way.close()
        else:
            way.hangs = True
        with capture_logs() as lines:
            assert await sender.send("city", OPENID, LATE) == Sent()
            assert await sender.send("city", OPENID, LATE) == Sent()
    assert weixin.forced == [False]
    assert [line["event"] for line in lines] == ["access token is not shared"]


async def test_a_token_that_is_there_goes_on_and_dies_in_its_time(
    weixin: Weixin, make_gateway: MakeGateway, redis_url: str, our_clock: ManualClock
) -> None:
    await weixin.writes()
    async with a_way_to(redis_url) as way:
        sender = (await make_gateway(way.url)).sender(weixin.url)
        assert await sender.send("city", OPENID, LATE) == Sent()
        way.close()
        assert await sender.send("city", OPENID, LATE) == Sent()
        assert weixin.forced == [False]
        our_clock.move(timedelta(hours=2))
        weixin.clock.passes(hours=2)
        assert await sender.send("city", OPENID, LATE) == Sent()
    assert weixin.forced == [False, False]


async def test_a_redis_that_goes_while_wechat_is_asked_does_not_matter(
    weixin: Weixin, make_gateway: MakeGateway, redis_url: str
) -> None:
    await weixin.writes()
    async with a_way_to(redis_url) as way:
        sender = (await make_gateway(way.url)).sender(weixin.url)

        async def and_redis_goes(_request: object) -> None:
            way.close()

        weixin.instead["stable_token"] = and_redis_goes
        assert await sender.send("city", OPENID, LATE) == Sent()
        assert await sender.send("city", OPENID, LATE) == Sent()
    assert weixin.forced == [False]


async def test_a_redis_that_takes_no_scripts_does_not_matter(
    weixin: Weixin, make_gateway: MakeGateway
) -> None:
    await weixin.writes()
    gateway = await make_gateway()
    assert gateway.redis is not None
    await gateway.redis.client.lpush("bm:{city:wx1}:token", "something of somebody else's")
    assert await gateway.sender(weixin.url).send("city", OPENID, LATE) == Sent()
