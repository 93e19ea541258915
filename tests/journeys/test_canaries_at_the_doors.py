"""What somebody says of themselves at any HTTP door is in no page, log, key or table afterwards."""

import random
from collections.abc import Iterator

import aiohttp
import pytest
import structlog

from core import log
from tests.services.citizens.test_invariant_13 import human
from tests.support.canaries import contents, in_clear
from tests.support.city import City

_XML = "<xml><ToUserName>{0}</ToUserName><FromUserName>{0}</FromUserName><Content>{0}</Content></xml>"


@pytest.fixture
def logged() -> Iterator[None]:
    """Our log as `run` configures it."""
    log.configure()
    yield
    structlog.reset_defaults()


async def test_nothing_said_at_a_door_is_written_down_in_clear(
    city: City, logged: None, capfd: pytest.CaptureFixture[str]
) -> None:
    who = human(random.Random(7))
    for said in (f"我叫{who.name}", who.phone, f"{who.number}", "人工", f"{who.name}电话{who.phone}"):
        await city.says(who.openid, said)
    pages = [
        await asked(city, method, path, body)
        for word in (who.name, who.number, who.phone, who.openid)
        for method, path, body in (
            ("GET", f"/visit?k={word}&a={word}", None),
            ("POST", f"/visit/cancel?k={word}", f"a={word}"),
            ("GET", f"/export?k={word}", None),
            ("POST", "/export", f"k={word}&as={word}"),
            ("GET", f"/{word}", None),
            ("GET", f"/wechat/city?echostr={word}&signature={word}&timestamp=1&nonce={word}", None),
            ("POST", f"/wechat/city?openid={word}&signature=x&timestamp=1&nonce=1", _XML.format(word)),
            ("POST", f"/wechat/city?{word * 2_000}", f"<!DOCTYPE {word}>"),
        )
    ]
    assert len(pages) == 32
    assert not [page for page in pages if who.canaries.within(page)], "no page says it back"
    assert not in_clear(who.canaries, await contents(city.gateway.db, city.gateway.redis))
    printed = capfd.readouterr()
    assert printed.err, "there is a log to look at"
    assert not who.canaries.within((printed.out + printed.err).encode())


async def asked(city: City, method: str, path: str, body: str | None) -> bytes:
    """What a door answers; one that closes at once answers nothing."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body and "=" in body else {}
    try:
        async with city.http.request(
            method, f"{city.public_url}{path}", data=body and body.encode(), headers=headers
        ) as answer:
            return await answer.read()
    except aiohttp.ClientError:
        return b""


async def test_control_a_line_that_says_it_is_found(
    city: City, logged: None, capfd: pytest.CaptureFixture[str]
) -> None:
    who = human(random.Random(7))
    structlog.get_logger("test").info("said", words=who.name)
    assert who.canaries.within(capfd.readouterr().err.encode())
