"""Every door says who may call it, and nothing else is open."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer, TestClient
from yarl import URL

from webhooks.routes import Doors, Request, Route

Client = TestClient[web.BaseRequest, None]


async def _hello(request: Request) -> web.Response:
    return web.Response(text=f"hello, {request.query.get('name', 'stranger')}")


DOORS = Doors(
    [
        Route("GET", "/healthz", _hello, who="anyone"),
        Route("GET", "/wechat/city", _hello, who="wechat"),
        Route("POST", "/wechat/city", _hello, who="wechat"),
    ]
)


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    started: Client = TestClient(RawTestServer(DOORS.answer))
    async with started:
        yield started


def test_the_table_tells_who_may_call_what() -> None:
    assert DOORS.callers == {
        "GET /healthz": "anyone",
        "GET /wechat/city": "wechat",
        "POST /wechat/city": "wechat",
    }


async def test_a_declared_route_answers_whatever_its_query(client: Client) -> None:
    async with client.get("/wechat/city", params={"name": "王"}) as response:
        assert (response.status, await response.text()) == (200, "hello, 王")


async def test_a_path_in_another_spelling_is_the_same_path(client: Client) -> None:
    spelt = URL("/wechat/%63ity?name=x", encoded=True)
    async with client.get(spelt) as response:
        assert await response.text() == "hello, x"


@pytest.mark.parametrize("path", ["/", "/wechat", "/wechat/city/", "/wechat/%63ity2", "/wechat/../healthz2"])
async def test_a_path_nobody_declared_is_not_there(client: Client, path: str) -> None:
    async with client.get(path) as response:
        assert (response.status, await response.read()) == (404, b"")


async def test_a_method_nobody_declared_is_told_which_there_are(client: Client) -> None:
    async with client.delete("/wechat/city") as response:
        assert (response.status, response.headers["Allow"]) == (405, "GET, POST")


async def test_who_asks_before_sending_a_body_is_told_to_go_ahead(client: Client) -> None:
    async with client.post("/wechat/city", data=b"x" * 2000, expect100=True) as response:
        assert response.status == 200
    async with client.post("/wechat/city", data=b"x", headers={"Expect": "a miracle"}) as response:
        assert response.status == 417


async def test_head_is_no_door_of_its_own(client: Client) -> None:
    async with client.head("/healthz") as response:
        assert response.status == 405


def test_two_routes_for_one_door_are_refused() -> None:
    with pytest.raises(ValueError, match="GET /page is declared twice"):
        Doors([Route("GET", "/page", _hello, who="citizen")] * 2)
