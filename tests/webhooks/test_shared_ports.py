"""A port several processes of ours share: nobody else's, and open where somebody serves."""

import socket

import aiohttp
import pytest
from aiohttp import web

from webhooks.serving import PortTakenError, listen, reserve, serve, share

NAME = web.AppKey("name", str)


def gets_in(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


def listens(host: str, port: int, *, shared: bool) -> bool:
    """Whether another program of the same user could have the port."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, shared)
        try:
            other.bind((host, port))
            other.listen()
        except OSError:
            return False
    return True


def test_a_reserved_port_is_nobody_elses_even_while_no_process_listens() -> None:
    with reserve("127.0.0.1", 0, "server.port") as reserved:
        port = reserved.getsockname()[1]
        for another in (listen, reserve):
            with pytest.raises(PortTakenError, match=r"server\.port"):
                another("127.0.0.1", port, "server.port")
        assert not listens("127.0.0.1", port, shared=False)
        assert listens("127.0.0.1", port, shared=True), "as each of ours does"


def test_a_port_somebody_shares_cannot_be_reserved() -> None:
    with (
        socket.create_server(("127.0.0.1", 0), reuse_port=True) as other,
        pytest.raises(PortTakenError, match=r"server\.port"),
    ):
        reserve("127.0.0.1", other.getsockname()[1], "server.port")


async def test_those_who_share_a_port_get_nobody_before_they_serve() -> None:
    async def named(request: web.Request) -> web.Response:
        return web.Response(text=str(request.app[NAME]))

    with reserve("127.0.0.1", 0, "test") as reserved:
        port = reserved.getsockname()[1]
        assert not gets_in(port)
        early, late = (share("127.0.0.1", port, "test") for _ in range(2))
        assert not gets_in(port)
        runners = []
        answered = []
        for name, opened in (("early", early), ("late", late)):
            app = web.Application()
            app[NAME] = name
            app.router.add_get("/", named)
            runners.append(await serve(app, opened, drain_s=1))
            answered.append(await who_answers(port))
        assert answered == [{"early"}, {"early", "late"}]
        for runner in runners:
            await runner.cleanup()


async def who_answers(port: int) -> set[str]:
    """Who answers fifty callers, each on a connection of their own."""
    names = set()
    for _ in range(50):
        async with aiohttp.ClientSession() as http, http.get(f"http://127.0.0.1:{port}/") as answer:
            names.add(await answer.text())
    return names
