"""What is set for conversations reaches them: how long they are kept, and when silence is long."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from commands import demo
from commands.gateway import Gateway
from commands.surroundings import Surroundings
from core.chat.events import Event, Kind
from core.clock import ManualClock
from core.seal import Seal
from core.stores.redis import Redis
from main import assemble
from settings import Chat, Settings
from tests.support.city import ACCOUNT

_numbers = itertools.count(1)
MakePhone = Callable[[Chat], Awaitable["Phone"]]


class Phone:
    """A citizen of a gateway that was put together as `serve` does it."""

    def __init__(self, gateway: Gateway, seal: Seal, clock: ManualClock) -> None:
        self.dispatcher = gateway.reception.dispatchers["city"]
        self.conversation = seal.conversation("city", "o-grandma")
        self.clock = clock

    async def says(self, text: str) -> str:
        at = self.clock.now()
        event = Event(
            id=f"{self.conversation}:m:{next(_numbers)}:{int(at.timestamp())}",
            account="city",
            openid="o-grandma",
            kind=Kind.TEXT,
            at=at,
            text=text,
        )
        said = await self.dispatcher.receive(event, asyncio.get_running_loop().time())
        assert said is not None
        return said.text

    async def kept_for(self, redis: Redis) -> timedelta:
        """How much longer Redis keeps the conversation."""
        left = await redis.client.pttl(f"bm:{{{self.conversation}}}:s")
        return timedelta(milliseconds=left)


@pytest.fixture
async def phone(
    redis: Redis, redis_url: str, db_url: str, seal: Seal, clock: ManualClock
) -> AsyncIterator[MakePhone]:
    """Start a gateway with these settings."""
    del redis  # it is empty now
    async with AsyncExitStack() as stack:

        async def start(chat: Chat) -> Phone:
            settings = Settings(accounts={"city": ACCOUNT}, chat=chat)
            gateway = await assemble(Surroundings(settings, redis_url, db_url, seal, clock))
            stack.push_async_callback(gateway.close)
            await demo.load(
                demo.Stage(gateway.db, gateway.services.citizens, gateway.services.hospital, clock)
            )
            return Phone(gateway, seal, clock)

        yield start


async def test_a_conversation_is_kept_for_as_many_hours_as_are_set(phone: MakePhone, redis: Redis) -> None:
    citizen = await phone(Chat(session_hours=2))
    await citizen.says("挂号")
    assert timedelta(hours=1, minutes=50) < await citizen.kept_for(redis) <= timedelta(hours=2)


@pytest.mark.parametrize(("minutes", "answers"), [(4, True), (6, False)])
async def test_silence_is_long_after_as_many_minutes_as_are_set(
    phone: MakePhone, minutes: int, *, answers: bool
) -> None:
    citizen = await phone(Chat(idle_minutes=5))
    assert "请选择科室" in await citizen.says("挂号")
    citizen.clock.move(timedelta(minutes=minutes))
    assert ("请选择医生" in await citizen.says("1")) is answers


async def test_control_the_silence_that_is_usual_is_longer(phone: MakePhone) -> None:
    citizen = await phone(Chat())
    await citizen.says("挂号")
    citizen.clock.move(timedelta(minutes=6))
    assert "请选择医生" in await citizen.says("1")
