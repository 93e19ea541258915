"""Several virtual gates in one program, for a demo city: a page to choose among them, and each one's own."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from string import Template

from aiohttp import web

from gate import signing
from gate.door import build, only_this_machine, plain
from gate.faults import GateError
from gate.gate import Gate
from gate.picture import MOST_BYTES
from gate.screen import HERE, Screen
from gate.settings import Settings, load
from gate.signing import Device

Stand = tuple[Screen, Settings, Device | None]


def application(stands: list[Stand]) -> web.Application:
    """All of them: `/` leads to each, `/<device>/` is one."""
    app = web.Application(middlewares=[only_this_machine], client_max_size=MOST_BYTES + 1)
    index = _index([settings for _, settings, _ in stands])

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=index, content_type="text/html", headers={"Cache-Control": "no-store"})

    app.router.add_get("/", page)
    for screen, settings, device in stands:
        app.add_subapp(f"/{settings.device}/", build(screen, settings, device, back="../"))
    return app


@contextmanager
def opened(folder: Path) -> Iterator[list[Stand]]:
    """Every gate whose settings lie in a folder, by the names of their files; `GateError` for none."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise GateError(f"{folder}: there is no gate's .toml in it")
    with ExitStack() as stack:
        stands: list[Stand] = []
        for each in files:
            settings = load(each)
            device = signing.load(settings.device, Path(settings.key)) if settings.server else None
            gate = stack.enter_context(closing(Gate(settings)))
            stands.append((Screen(gate), settings, device))
        yield stands


def tell(member: str) -> None:
    """Say to who started us that we answer; `member` is what they put on our command line."""
    with suppress(OSError, ValueError):
        os.write(int(member.rpartition(":")[2]), b"ready\n")


def _index(gates: list[Settings]) -> str:
    """Gates in the order of their files, each a link with its place."""
    links = "\n".join(
        f'<a href="{each.device}/" data-way="{each.way}">{plain(each.place)}</a>' for each in gates
    )
    return Template((HERE / "street.html").read_text("utf-8")).substitute(links=links)
