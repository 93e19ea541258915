"""Whom a gate trusts: issuer keys and the deny list, in one file that the server's list replaces whole."""

import base64
import binascii
from pathlib import Path

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gate.code import ACCT_REF_BYTES, IssuerKey, Trust
from gate.faults import GateError, OutOfOrder
from gate.files import write_whole

MOST_BYTES = 4 * 1024 * 1024
_DAY_MS = 24 * 3_600_000
_log = structlog.get_logger("trust")


class Issuer(msgspec.Struct, frozen=True):
    """One issuer key; after `until` (Unix seconds) it is good for nothing."""

    kid: int
    key: str  # base64url of its 32 bytes
    revoked: bool = False
    until: int | None = None


class Denial(msgspec.Struct, frozen=True):
    """An `acct_ref` that opens nothing before `until` (Unix seconds)."""

    acct_ref: str  # base64url of its 16 bytes
    until: int


class TrustList(msgspec.Struct, frozen=True):
    """What the server answers, whole each time; `now` is its clock in Unix milliseconds."""

    now: int
    issuers: tuple[Issuer, ...]
    denied: tuple[Denial, ...] = ()


class TrustStore:
    """The list in use, kept in a file; a damaged or missing file is an empty list."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.as_of_ms = 0  # 0: never had one
        self.issuers: Trust = {}
        self._denied: dict[bytes, int] = {}
        self._load()

    def replace(self, raw: bytes, *, just_told: bool = False) -> bool:
        """Take the server's list over, on disk first. An older one than ours is ignored: False.

        One that the server has `just_told` counts all the same: a clock was put right there. If it is older
        by a day and more, the server's clock is wrong now.
        """
        found = parse(raw)
        oldest_ms = self.as_of_ms - (_DAY_MS if just_told else 0)
        if found.now < oldest_ms:
            _log.warning("trust_list_older", ours=self.as_of_ms, theirs=found.now)
            return False
        write_whole(self._path, raw)
        self._use(found)
        return True

    def denied(self, now_s: int) -> frozenset[bytes]:
        """Who opens nothing now."""
        if self._denied and min(self._denied.values()) < now_s:
            self._denied = {ref: until for ref, until in self._denied.items() if until >= now_s}
        return frozenset(self._denied)

    def require(self, now_ms: int, oldest_h: float) -> None:
        """Refuse to judge without any list, or with one too old where the gate's owner set a limit."""
        if not self.issuers:
            raise OutOfOrder("no_trust")
        if oldest_h and now_ms - self.as_of_ms > oldest_h * 3_600_000:
            raise OutOfOrder("old_trust", f"{(now_ms - self.as_of_ms) / 3_600_000:.0f} h")

    def _load(self) -> None:
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as refused:
            raise GateError(f"{self._path} cannot be read: {refused.strerror}") from refused
        try:
            self._use(parse(raw))
        except GateError as damaged:
            _log.warning("trust_file_damaged", why=str(damaged))

    def _use(self, found: TrustList) -> None:
        self.issuers = {each.kid: _issuer(each) for each in found.issuers}
        self._denied = {_bytes(each.acct_ref, ACCT_REF_BYTES): each.until for each in found.denied}
        self.as_of_ms = found.now


def parse(raw: bytes) -> TrustList:
    """Read a trust list and look at all of it; `GateError` if it is none."""
    if len(raw) > MOST_BYTES:
        raise GateError("a trust list of more than 4 MB")
    try:
        found = msgspec.json.decode(raw, type=TrustList)
    except msgspec.DecodeError as wrong:
        raise GateError(f"no trust list: {wrong}") from wrong
    for issuer in found.issuers:
        _issuer(issuer)
    for denial in found.denied:
        _bytes(denial.acct_ref, ACCT_REF_BYTES)
    return found


def _issuer(given: Issuer) -> IssuerKey:
    return IssuerKey(Ed25519PublicKey.from_public_bytes(_bytes(given.key, 32)), given.revoked, given.until)


def _bytes(text: str, size: int) -> bytes:
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != size:
        raise GateError(f"no trust list: {size} bytes in base64url are expected in it")
    return found
