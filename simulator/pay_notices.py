"""What the played WeChat Pay tells the merchant by itself, and how that goes wrong on demand."""

import asyncio
import secrets
from collections.abc import Mapping
from typing import Annotated, Literal

import aiohttp
import msgspec
from msgspec import Meta

from simulator.clock import Clock
from simulator.pay_keys import Keys

AGAIN_S = (15.0, 15.0, 30.0)
_GOOD = {200, 204}
_TIMEOUT_S = 5.0


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What goes wrong from now on, `times` times: with the answers to debits, or with notices.

    debit: `lost` is done and not answered; `never` is neither; `slow` stays open until it is asked about.
    notify: `none` is never sent, `double` twice at once, `late` after `late_s`, `forged` with a wrong
    signature before the right one, `foreign` with another amount before the right one.
    """

    debit: Literal["lost", "never", "slow"] | None = None
    notify: Literal["none", "double", "late", "forged", "foreign"] | None = None
    late_s: Annotated[float, Meta(ge=0, le=600)] = 5.0
    times: Annotated[int, Meta(ge=1, le=1_000)] = 1


class Troubles:
    """Those that stand, the oldest first."""

    def __init__(self) -> None:
        self._standing: list[list[object]] = []

    def add(self, trouble: Trouble) -> None:
        self._standing.append([trouble, trouble.times])

    def clear(self) -> None:
        self._standing.clear()

    def strike(self, part: Literal["debit", "notify"]) -> Trouble | None:
        """The first that is about this part, once less."""
        for each in self._standing:
            trouble, left = each
            if isinstance(trouble, Trouble) and isinstance(left, int) and getattr(trouble, part):
                each[1] = left - 1
                if left == 1:
                    self._standing.remove(each)
                return trouble
        return None


class Teller:
    """Sends notices until they are taken, each time signed anew."""

    def __init__(self, keys: Keys, clock: Clock, troubles: Troubles, factor: float = 1.0) -> None:
        self._keys = keys
        self._clock = clock
        self._troubles = troubles
        self._factor = factor
        self._http: aiohttp.ClientSession | None = None

    def open(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def tell(self, url: str, event: str, kind: str, content: Mapping[str, object]) -> None:
        """Tell something; what goes wrong on demand is decided now."""
        trouble = self._troubles.strike("notify")
        said = trouble.notify if trouble else None
        if said == "none" or self._http is None:
            return
        if trouble and said == "late":
            await asyncio.sleep(trouble.late_s)
        body = self._body(event, kind, content)
        if said == "forged":
            await self._post(url, body, forged=True)
        elif said == "foreign":
            await self._post(url, self._body(event, kind, {**content, "amount": {"total": 1, "refund": 1}}))
        elif said == "double":
            await asyncio.gather(self._post(url, body), self._post(url, body))
        for wait in (*AGAIN_S, None):
            if await self._post(url, body) or wait is None:
                return
            await asyncio.sleep(wait * self._factor)

    def _body(self, event: str, kind: str, content: Mapping[str, object]) -> bytes:
        return msgspec.json.encode(
            {
                "id": f"EV-{secrets.token_hex(12)}",
                "create_time": self._clock().isoformat(timespec="seconds"),
                "resource_type": "encrypt-resource",
                "event_type": event,
                "summary": kind,
                "resource": self._keys.seal(content, kind),
            }
        )

    async def _post(self, url: str, body: bytes, *, forged: bool = False) -> bool:
        headers = self._keys.sign(body, self._clock().timestamp(), forged=forged)
        headers["Content-Type"] = "application/json"
        limit = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        if self._http is None:
            return False
        try:
            async with self._http.post(url, data=body, headers=headers, timeout=limit) as answer:
                return answer.status in _GOOD
        except (aiohttp.ClientError, OSError):
            return False
