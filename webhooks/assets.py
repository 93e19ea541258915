"""Scripts of our own that pages load, under addresses that change when they do."""

import hashlib
from functools import partial
from pathlib import Path

from aiohttp import web

from webhooks.routes import Request, Route

FOLDER = Path(__file__).parent / "static"
_TYPE = "text/javascript"
_KEPT = "public, max-age=31536000, immutable"  # a year: another version has another address


class Assets:
    """All scripts of a folder, read once; one that imports another names it as its neighbour (`./qr.js`)."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {each.name: each.read_bytes() for each in sorted(folder.glob("*.js"))}
        digest = hashlib.sha256(b"\0".join(self._files.values())).hexdigest()
        self._way = f"/assets/{digest[:16]}"

    def address(self, name: str) -> str:
        """Where a page finds a script; `KeyError` for one that there is not."""
        self._files[name]
        return f"{self._way}/{name}"

    def routes(self) -> list[Route]:
        """Anyone may read them: they hold nothing of anybody's."""
        return [
            Route("GET", self.address(name), partial(self._file, body), "anyone")
            for name, body in self._files.items()
        ]

    async def _file(self, body: bytes, _request: Request) -> web.Response:
        headers = {"Cache-Control": _KEPT, "X-Content-Type-Options": "nosniff"}
        return web.Response(body=body, content_type=_TYPE, charset="utf-8", headers=headers)
