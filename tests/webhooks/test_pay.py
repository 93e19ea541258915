"""The doors of WeChat Pay's notifies: bounded, signed, heard once, and never with a traceback."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import aiohttp
import pytest

from core.errors import StoreGoneError
from services.payments.bank import NotBelieved
from services.payments.model import DebitNotice, Notice, Told
from services.payments.service import Payments
from webhooks.pay import MOST_BYTES, PayDoor
from webhooks.routes import Doors
from webhooks.serving import listen, serve

NOTICE = DebitNotice("n-1", "t" * 32, Told.DONE, 300, "wx-city")


@dataclass
class Ears:
    """What opens and what hears, as a test wants it to go."""

    fails: BaseException | None = None
    hears: BaseException | None = None
    heard_of: list[Notice] = field(default_factory=list)
    given_back: int = 0
    ready: bool = True

    async def open(self, headers: Mapping[str, str], body: bytes) -> Notice:
        if self.fails:
            raise self.fails
        assert set(headers) >= {"Wechatpay-Nonce", "Wechatpay-Signature"}
        return NOTICE

    async def undone(self, headers: Mapping[str, str]) -> None:
        self.given_back += 1

    async def heard(self, notice: Notice) -> None:
        if self.hears:
            raise self.hears
        self.heard_of.append(notice)


class Hearing(Payments):
    """Payments that do nothing but hear."""

    def __init__(self, ears: Ears) -> None:
        self._ears = ears

    async def heard(self, notice: Notice) -> None:
        await self._ears.heard(notice)


@dataclass
class Door:
    ears: Ears
    http: aiohttp.ClientSession
    url: str

    async def tell(self, body: bytes = b"{}", kind: str = "debit") -> int:
        async with self.http.post(f"{self.url}/pay/notify/{kind}", data=body) as answer:
            told = await answer.text()
            assert "Traceback" not in told
            return answer.status


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    ears = Ears()
    opened = listen("127.0.0.1", 0, "test")
    routes = PayDoor(ears, Hearing(ears), lambda: ears.ready).routes()
    runner = await serve(Doors(routes), opened, drain_s=0.1)
    async with aiohttp.ClientSession() as http:
        yield Door(ears, http, f"http://127.0.0.1:{opened.getsockname()[1]}")
    await runner.cleanup()


@pytest.mark.parametrize("kind", ["contract", "debit", "refund"])
async def test_what_is_told_is_heard_by_each_door(door: Door, kind: str) -> None:
    assert await door.tell(kind=kind) == 204
    assert door.ears.heard_of == [NOTICE]


async def test_forged_ones_are_refused_and_not_heard(door: Door) -> None:
    door.ears.fails = NotBelieved("a wrong signature")
    assert await door.tell() == 400
    assert door.ears.heard_of == []


async def test_what_does_not_fit_is_refused(door: Door) -> None:
    door.ears.hears = NotBelieved("a debit that is not ours")
    assert await door.tell() == 400


async def test_what_is_too_long_is_not_read(door: Door) -> None:
    assert await door.tell(b"x" * MOST_BYTES) == 204
    assert await door.tell(b"x" * (MOST_BYTES + 1)) == 413
    assert len(door.ears.heard_of) == 1


@pytest.mark.parametrize(
    ("wrong", "status"), [(StoreGoneError("PostgreSQL"), 503), (ValueError("oops"), 500)]
)
async def test_what_could_not_be_dealt_with_may_come_again(
    door: Door, wrong: BaseException, status: int
) -> None:
    door.ears.hears = wrong
    assert await door.tell() == status
    assert door.ears.given_back == 1
    door.ears.hears = None
    assert await door.tell() == 204


async def test_nobody_is_heard_while_the_stores_are_away_or_the_gateway_is_not_ready(door: Door) -> None:
    door.ears.fails = StoreGoneError("Redis")
    assert await door.tell() == 503
    door.ears.fails, door.ears.ready = None, False
    assert await door.tell() == 503
    assert door.ears.heard_of == []


async def test_only_post_leads_in(door: Door) -> None:
    async with door.http.get(f"{door.url}/pay/notify/debit") as answer:
        assert answer.status == 405
