"""The outbox on the operators' own port, for programs: how it stands; notices stopped and continued."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from core.addresses import is_loopback
from core.delivery import jobs, standing
from core.delivery.jobs import NoSuchJob
from core.delivery.progress import progress
from core.errors import StoreGoneError
from core.stores.database import Database
from webhooks.routes import Request, Route

_WHO = "admin port"
_USUAL, _MOST = 20, 1_000
_LAST = 2**63 - 1  # the last number PostgreSQL counts to
_DIGITS = len(str(_LAST))
_JSON = "application/json"
Answer = Callable[[Request], Awaitable[object]]


class _Refused(Exception):  # noqa: N818 - it is what the door answers
    """What a caller asked wrongly: the status, and what to do instead."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class OutboxDoor:
    """Answers operators' programs; a page of another site cannot reach it through somebody's browser."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def routes(self) -> list[Route]:
        """What operators' programs may ask and do."""
        asked = {"/outbox": self._all, "/outbox/jobs": self._jobs, "/outbox/job": self._job}
        asked["/outbox/unknown"] = self._unknown
        done = {"/outbox/stop": jobs.stop, "/outbox/continue": jobs.go_on, "/outbox/cancel": jobs.cancel}
        return [
            *(Route("GET", path, _answering(answer), "operator") for path, answer in asked.items()),
            *(
                Route("POST", path, _answering(self._changing(change)), "operator")
                for path, change in done.items()
            ),
        ]

    async def _all(self, _request: Request) -> object:
        return {"waiting": [_named(each) for each in await standing.waiting(self._db)]}

    async def _jobs(self, request: Request) -> object:
        limit = _number(request, "limit", _USUAL, _MOST)
        found = await jobs.listed(self._db, _number(request, "before", 0) or None, limit + 1)
        return {"jobs": found[:limit], "next": _next(found, limit)}

    async def _job(self, request: Request) -> object:
        how = await progress(self._db, _number(request, "id", 0))
        return {**asdict(how), "left": how.left, "seconds_left": how.seconds_left}

    async def _unknown(self, request: Request) -> object:
        limit = _number(request, "limit", _USUAL, _MOST)
        found = await standing.doubts(self._db, _number(request, "before", 0) or None, limit + 1)
        return {"unknown": [_named(each) for each in found[:limit]], "next": _next(found, limit)}

    def _changing(self, change: Callable[[Database, int, str], Awaitable[None]]) -> Answer:
        async def changed(request: Request) -> object:
            if request.content_type != _JSON:  # which no form of another site's page can send
                raise _Refused(415, f"Content-Type: {_JSON}")
            number = _number(request, "id", 0)
            await change(self._db, number, _WHO)
            return {"id": number, "state": (await progress(self._db, number)).state}

        return changed


def _answering(answer: Answer) -> Callable[[Request], Awaitable[web.StreamResponse]]:
    async def answered(request: Request) -> web.StreamResponse:
        try:
            _require_local(request)
            return _json(200, await answer(request))
        except _Refused as refused:
            return _json(refused.status, {"error": str(refused)})
        except NoSuchJob as none:
            state = none.facts["state"]
            why = f"the job is {state} already" if state else "there is no such job"
            return _json(409 if state else 404, {"error": why})
        except StoreGoneError as gone:
            return _json(503, {"error": str(gone)})

    return answered


def _require_local(request: Request) -> None:
    """Refuse who came here under another name, as a page does whose name was made to mean this machine."""
    host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    origin = request.headers.get("Origin")
    if not is_loopback(host) or (origin and urlsplit(origin).netloc != request.headers.get("Host")):
        raise _Refused(403, "call this from this machine, as 127.0.0.1")


def _number(request: Request, name: str, usual: int, most: int = _LAST) -> int:
    given = request.query.get(name, str(usual))
    # The length first: Python takes its time over a number of many digits, or refuses it.
    if not (given.isascii() and given.isdecimal() and len(given) <= _DIGITS and int(given) <= most):
        raise _Refused(400, f"{name}: a whole number from 0 to {most}")
    return int(given)


def _next(found: list[Any], limit: int) -> int | None:
    """What `before` has to be for the next page."""
    return found[limit - 1].id if 0 < limit < len(found) else None


def _named(each: Any) -> dict[str, object]:
    return {**asdict(each), "lane": each.lane.name.lower()}


def _json(status: int, body: object) -> web.Response:
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        content_type=_JSON,
        headers={"Cache-Control": "no-store"},
    )
