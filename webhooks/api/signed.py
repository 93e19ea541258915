"""Whether a gate has said it, and said it now: Ed25519 over six lines (docs/transit-code.md)."""

import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.transit.devices import Registered
from services.transit.model import Device
from webhooks.routes import Request

TAG = "bianmin-device-1"
FRESH_S = 300  # P7
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII)
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{86}", re.ASCII)
# A key for those whom nobody knows: to refuse them takes as long as to look at a signature.
_NOBODY = bytes.fromhex("3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29")
Find = Callable[[str], Awaitable[Registered | None]]


class NotBelieved(Exception):  # noqa: N818 - named by what is the case
    """It is not theirs, not of now, was here before, or is none; `why` and `field` go into the answer."""

    def __init__(self, why: str, field: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.field = field


class Nonces(Protocol):
    """Remembers nonces for ten minutes."""

    async def first(self, nonce: str) -> bool:
        """Note a nonce; False where it was there before."""
        ...

    async def forget(self, nonce: str) -> None:
        """Let it come again."""
        ...


class Signed:
    """A request's four headers. Whether there is such a gate is told by nothing but its signature."""

    def __init__(self, request: Request, sender: Registered | None) -> None:
        self._sender = sender
        self._request = request
        self._name = request.headers["Bianmin-Name"]
        self._time = request.headers["Bianmin-Time"]
        self._nonce = request.headers["Bianmin-Nonce"]

    @property
    def nonce(self) -> str:
        """Another gate may draw the same."""
        return f"{self._name}/{self._nonce}"

    @classmethod
    async def of(cls, request: Request, find: Find) -> "Signed":
        """Whose request it says to be, before anything of its body is read."""
        told = request.headers
        forms = ((_NAME, "Name"), (_TIME, "Time"), (_NONCE, "Nonce"), (_SIGNATURE, "Signature"))
        if not all(form.fullmatch(told.get(f"Bianmin-{name}", "")) for form, name in forms):
            raise NotBelieved("bad_signature")
        sender = await find(told["Bianmin-Name"])
        return cls(request, None if sender is None or sender.revoked_at else sender)

    def signer(self, body: bytes) -> Device:
        """The gate whose own it is, over this body."""
        request = self._request
        digest = hashlib.sha256(body).hexdigest()
        lines = (TAG, request.method, request.raw_path, self._time, self._nonce, digest)
        key = self._sender.public_key if self._sender else _NOBODY
        try:
            told = unpadded(request.headers["Bianmin-Signature"])
            Ed25519PublicKey.from_public_bytes(key).verify(told, "\n".join(lines).encode())
        except (InvalidSignature, ValueError) as wrong:
            raise NotBelieved("bad_signature") from wrong
        if self._sender is None:
            raise NotBelieved("bad_signature")
        return self._sender.device

    async def require_new(self, nonces: Nonces, now: datetime) -> None:
        """It is of now, and comes for the first time."""
        if abs(int(self._time) - now.timestamp()) > FRESH_S:
            raise NotBelieved("stale")
        if not await nonces.first(self.nonce):
            raise NotBelieved("repeated")


def unpadded(text: str) -> bytes:
    """The bytes of base64url, with or without `=`; `ValueError` for anything else."""
    try:
        return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), b"-_", validate=True)
    except binascii.Error as wrong:
        raise ValueError("not base64url") from wrong


def encoded(raw: bytes) -> str:
    """base64url without `=`."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
