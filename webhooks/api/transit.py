"""Where gates upload their taps and fetch whom to trust: signed by each, believed only then."""

import re
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec
import structlog
from aiohttp import web

from core.clock import Clock
from core.errors import StoreGoneError
from services.transit.devices import Registered
from services.transit.issuer import IssuerGone
from services.transit.model import Batch, Device, Ingested, Sent
from services.transit.pairing import Way
from services.transit.trust import TrustList
from webhooks.api import wire
from webhooks.api.signed import Nonces, NotBelieved, Signed, encoded, unpadded
from webhooks.routes import Handler, Request, Route

TAPS, TRUST = "/api/transit/taps", "/api/transit/trust"
_STATUS = {
    "bad_request": 400,
    "bad_signature": 401,
    "stale": 401,
    "repeated": 401,
    "too_long": 413,
    "failed": 500,
    "unavailable": 503,
}
_decoder = msgspec.json.Decoder(wire.Taps)
_FIELD = re.compile(r"`\$\.?([^`]*)`")
_encode = msgspec.json.Encoder().encode
_log = structlog.get_logger("gates")


class Gates(Protocol):
    """What the door asks of the transit (services/transit/service.py)."""

    async def device(self, name: str) -> Registered | None:
        """A gate as it is registered."""
        ...

    async def ingest(self, device: Device, batch: Batch, now: datetime) -> Ingested:
        """Take in what it sent."""
        ...

    async def trust(self, device: Device, since: int, now: datetime) -> TrustList:
        """Whom it is to trust."""
        ...


class TransitDoor:
    """The two doors of gates."""

    def __init__(self, gates: Gates, nonces: Nonces, clock: Clock, ready: Callable[[], bool]) -> None:
        self._gates = gates
        self._nonces = nonces
        self._clock = clock
        self._ready = ready

    def routes(self) -> list[Route]:
        return [
            Route("POST", TAPS, self._refusing(self.taps), "device"),
            Route("GET", TRUST, self._refusing(self.trust), "device"),
        ]

    async def taps(self, request: Request) -> web.StreamResponse:
        """Take a batch; each of its numbers is in the answer, whatever became of it."""
        signed = await Signed.of(request, self._gates.device)
        body = await _bounded(request)
        device = signed.signer(body)
        now = self._clock.now()
        await signed.require_new(self._nonces, now)
        try:
            taken = await self._gates.ingest(device, batch_of(body, device), now)
        except StoreGoneError:
            await self._let_come_again(signed)
            raise
        if taken.quarantined:
            _log.warning("taps_quarantined", device=device.id, count=len(taken.quarantined))
        return _answer(200, _taken(taken, now))

    async def trust(self, request: Request) -> web.StreamResponse:
        """Tell whom to trust, and the time: also to a gate whose clock is wrong, which learns it here."""
        signed = await Signed.of(request, self._gates.device)
        device = signed.signer(b"")
        now = self._clock.now()
        found = await self._gates.trust(device, _since(request), now)
        return _answer(200, _trust(found))

    async def _let_come_again(self, signed: Signed) -> None:
        try:
            await self._nonces.forget(signed.nonce)
        except StoreGoneError as gone:
            _log.warning("gate_nonce_kept", store=gone.store)

    def _refusing(self, handler: Handler) -> Handler:
        """Answer what goes wrong in one word, with the time."""

        async def answered(request: Request) -> web.StreamResponse:
            if not self._ready():
                return self._refused("unavailable")
            try:
                return await handler(request)
            except NotBelieved as no:
                return self._refused(no.why, no.field)
            except (StoreGoneError, IssuerGone) as gone:
                _log.warning("gates_put_off", why=type(gone).__name__)
                return self._refused("unavailable")
            except Exception:  # noqa: BLE001 - whatever it is, the gate keeps its taps and comes again
                _log.exception("gate_not_heard")
                return self._refused("failed")

        return answered

    def _refused(self, why: str, field: str = "") -> web.Response:
        if why != "unavailable":
            _log.warning("gate_refused", why=why)
        told = {"error": why, "now": wire.millis(self._clock.now())} | ({"field": field} if field else {})
        return _answer(_STATUS[why], told)


def batch_of(body: bytes, device: Device) -> Batch:
    """What was sent, in our own words; a code that is none goes on as it stands, into quarantine."""
    try:
        found = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as wrong:
        named = _FIELD.search(str(wrong))
        raise NotBelieved("bad_request", named[1] if named else "") from wrong
    if found.device != device.id:
        raise NotBelieved("bad_request", "device")
    return Batch(wire.moment(found.sent_at), [_sent(tap) for tap in found.taps])


def _sent(tap: wire.Tap) -> Sent:
    try:
        code = unpadded(tap.code)
    except ValueError:
        code = tap.code.encode()
    return Sent(tap.seq, tap.at, Way(tap.way), tap.line, code, tap.station or "", tap.vehicle or "")


def _taken(taken: Ingested, now: datetime) -> wire.Taken:
    aside = tuple(wire.Quarantined(seq, reason.value) for seq, reason in taken.quarantined.items())
    return wire.Taken(tuple(taken.accepted), tuple(taken.known), aside, wire.millis(now))


def _trust(found: TrustList) -> wire.Trust:
    issuers = [wire.IssuerKey(kid, encoded(key)) for kid, key in found.issuers.items()]
    issuers += [wire.IssuerKey(kid, encoded(key), revoked=True) for kid, key in found.revoked.items()]
    denied = tuple(wire.Denied(encoded(each.acct_ref), int(each.until.timestamp())) for each in found.denied)
    return wire.Trust(wire.millis(found.now), tuple(issuers), denied)


def _since(request: Request) -> int:
    given = request.query.get("since", "0")
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(wire.MOST_SEQ))):
        raise NotBelieved("bad_request", "since")
    return int(given)


def _answer(status: int, content: object) -> web.Response:
    return web.Response(status=status, body=_encode(content), content_type="application/json")


async def _bounded(request: Request) -> bytes:
    if (request.content_length or 0) > wire.MOST_BYTES:
        raise NotBelieved("too_long")
    held = bytearray()
    async for piece in request.content.iter_any():
        held += piece
        if len(held) > wire.MOST_BYTES:
            raise NotBelieved("too_long")
    return bytes(held)
