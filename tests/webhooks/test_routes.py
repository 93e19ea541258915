"""Every door says who may call it."""

import pytest
from aiohttp import web

from webhooks.routes import Route, add_routes, assert_all_declared, callers


async def _hello(_request: web.Request) -> web.Response:
    return web.Response(text="hello")


def test_a_declared_route_passes_and_is_listed() -> None:
    app = web.Application()
    add_routes(app, [Route("GET", "/healthz", _hello, who="anyone")])
    add_routes(app, [Route("POST", "/wechat/city", _hello, who="wechat")])
    assert_all_declared(app)
    assert callers(app) == {"GET /healthz": "anyone", "POST /wechat/city": "wechat"}


def test_a_route_past_the_table_is_named() -> None:
    app = web.Application()
    add_routes(app, [Route("GET", "/healthz", _hello, who="anyone")])
    app.router.add_post("/backdoor", _hello)
    with pytest.raises(ValueError, match="POST /backdoor"):
        assert_all_declared(app)


def test_aiohttps_own_head_counts_as_a_route() -> None:
    app = web.Application()
    app.router.add_get("/page", _hello)
    with pytest.raises(ValueError, match="GET /page, HEAD /page"):
        assert_all_declared(app)


def test_the_table_adds_no_head_of_its_own() -> None:
    app = web.Application()
    add_routes(app, [Route("GET", "/page", _hello, who="citizen")])
    assert [route.method for route in app.router.routes()] == ["GET"]


def test_routes_of_a_part_application_do_not_slip_in() -> None:
    app, part = web.Application(), web.Application()
    part.router.add_post("/inner", _hello)
    app.add_subapp("/part", part)
    with pytest.raises(ValueError, match="POST /part/inner"):
        assert_all_declared(app)


def test_an_application_without_routes_has_nothing_to_declare() -> None:
    assert_all_declared(web.Application())


def test_two_routes_for_one_door_are_refused() -> None:
    app = web.Application()
    with pytest.raises(ValueError, match="GET /page is declared twice"):
        add_routes(app, [Route("GET", "/page", _hello, who="citizen")] * 2)
