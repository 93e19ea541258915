"""Where WeChat Pay tells us of contracts, debits and refunds: believed only when signed (P2, P3, P7)."""

from collections.abc import Callable, Mapping
from typing import Protocol

import structlog
from aiohttp import web

from core.errors import StoreGoneError
from services.payments.bank import NotBelieved
from services.payments.model import Notice
from services.payments.service import Payments
from webhooks.routes import Request, Route

MOST_BYTES = 32 * 1024
PATH = "/pay/notify"
_KINDS = ("contract", "debit", "refund")
_SIGNED = ("Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial", "Wechatpay-Signature")
_BAD, _TOO_LARGE, _FAILED, _AWAY = 400, 413, 500, 503

_log = structlog.get_logger("pay")


class Opener(Protocol):
    """Who can open what WeChat Pay sealed."""

    async def open(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """What it tells; NotBelieved where it is not theirs, not fresh, or was here before."""
        ...

    async def undone(self, headers: Mapping[str, str]) -> None:
        """It could not be dealt with: let it come again."""
        ...


class PayDoor:
    """The doors of the notifies; which of them one comes in by says nothing: the seal does."""

    def __init__(self, opener: Opener, payments: Payments, ready: Callable[[], bool]) -> None:
        self._opener = opener
        self._payments = payments
        self._ready = ready

    def routes(self) -> list[Route]:
        return [Route("POST", f"{PATH}/{kind}", self.notify, "wechat") for kind in _KINDS]

    async def notify(self, request: Request) -> web.Response:
        """204 for what is heard, or was before; whatever else WeChat Pay sends again."""
        if not self._ready():
            return _failed(_AWAY, "not ready")
        body = await _bounded(request)
        if body is None:
            return _failed(_TOO_LARGE, "too long")
        headers = {name: request.headers.get(name, "") for name in _SIGNED}
        try:
            notice = await self._opener.open(headers, body)
        except NotBelieved as no:
            _log.warning("pay_notice_refused", why=no.why)
            return _failed(_BAD, "not believed")
        except StoreGoneError:
            return _failed(_AWAY, "later")
        return await self._heard(headers, notice)

    async def _heard(self, headers: Mapping[str, str], notice: Notice) -> web.Response:
        try:
            await self._payments.heard(notice)
        except NotBelieved as no:
            _log.warning("pay_notice_refused", why=no.why)
            return _failed(_BAD, "not believed")
        except StoreGoneError as gone:
            _log.warning("pay_notice_put_off", store=gone.store)
            await self._undone(headers)
            return _failed(_AWAY, "later")
        except Exception:  # noqa: BLE001 - whatever it is, WeChat Pay is to tell it again
            _log.exception("pay_notice_failed", kind=type(notice).__name__)
            await self._undone(headers)
            return _failed(_FAILED, "failed")
        return web.Response(status=204)

    async def _undone(self, headers: Mapping[str, str]) -> None:
        try:
            await self._opener.undone(headers)
        except StoreGoneError as gone:
            _log.warning("pay_nonce_kept", store=gone.store)


def _failed(status: int, why: str) -> web.Response:
    return web.json_response({"code": "FAIL", "message": why}, status=status)


async def _bounded(request: Request) -> bytes | None:
    if (request.content_length or 0) > MOST_BYTES:
        return None
    held = bytearray()
    async for piece in request.content.iter_any():
        held += piece
        if len(held) > MOST_BYTES:
            return None
    return bytes(held)
