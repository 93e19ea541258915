"""The ride code: its bytes, how they are made and read, and the one order in which a gate checks them."""
# ruff: noqa: N818 - a refusal is named by what is the case

import struct
from collections.abc import Callable, Collection, Container, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

VERSION = 1
ECDSA_P256 = 1  # the `alg` byte; 2 is kept for Ed25519, 3 for SM2
ACCT_REF_BYTES = 16
NONCE_BYTES = 8
SIGNATURE_BYTES = 64
USER_KEY_BYTES = 33
CUSTOM_BYTES = 32  # at most
SKEW_S = 10  # domain-rules C3

# What each signature covers begins with its tag, so that none can stand for another.
GRANT_TAG = b"bianmin-grant-1\0"
DEVICE_TAG = b"bianmin-device-code-1\0"
SERVER_TAG = b"bianmin-server-code-1\0"

_GRANT = struct.Struct(">BBBH16sB3s33sIHB")  # custom and the issuer's signature follow
_SERVER = struct.Struct(">BBH16sB3sIH8s")
_MOMENT = struct.Struct(">I8s")
_DEVICE_TAIL = _MOMENT.size + SIGNATURE_BYTES
LONGEST = _GRANT.size + CUSTOM_BYTES + SIGNATURE_BYTES + _DEVICE_TAIL

Sign = Callable[[bytes], bytes]  # 64 bytes: Ed25519, or r and s of ECDSA P-256 with SHA-256, 32 each
UsedKey = tuple[bytes, int, bytes]


class Kind(IntEnum):
    """Who made the code: the rider's page under a grant, or the server at once."""

    DEVICE = 1
    SERVER = 2


class Type(IntEnum):
    """For whom it is (domain-rules C5), and for what."""

    SELF = 1
    COMPANION = 2
    WAY_OUT = 3  # the rider's, and good for ways out alone


class Reason(StrEnum):
    """Why a code opens no gate, in the order of the checks."""

    UNREADABLE = "unreadable"
    UNKNOWN_ISSUER = "unknown_issuer"
    REVOKED_ISSUER = "revoked_issuer"
    FORGED_ISSUER = "forged_issuer"
    FOREIGN = "foreign"
    GRANT_EXPIRED = "grant_expired"
    FORGED_USER = "forged_user"
    FUTURE = "future"
    EXPIRED = "expired"
    USED = "used"
    DENIED = "denied"
    TYPE = "type"
    ONLY_OUT = "only_out"


class Refused(Exception):
    """A code that opens no gate."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Unreadable(Refused):
    """Bytes that are no ride code; `detail` is for engineers."""

    def __init__(self, detail: str) -> None:
        super().__init__(Reason.UNREADABLE)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True, slots=True)
class Grant:
    """Kind D, what the issuer signs: this device key may make codes for this account until then."""

    kid: int
    acct_ref: bytes
    type: int
    cap_fen: int
    user_key: bytes  # P-256, compressed
    expires_at: int  # Unix seconds
    ttl_s: int
    custom: bytes = b""


@dataclass(frozen=True, slots=True)
class ServerCode:
    """Kind S, all of it."""

    kid: int
    acct_ref: bytes
    type: int
    cap_fen: int
    gen_time: int
    ttl_s: int
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Code:
    """A code as it stands in its bytes; only `verify` makes it true."""

    kind: Kind
    kid: int
    acct_ref: bytes
    type: int
    cap_fen: int
    gen_time: int
    ttl_s: int
    nonce: bytes
    issued: bytes  # what the issuer signed, without its tag
    issuer_signature: bytes
    # Kind D alone:
    expires_at: int | None = None
    user_key: bytes = b""
    custom: bytes = b""
    made: bytes = b""  # what the device signed, without its tag
    user_signature: bytes = b""

    @property
    def used_key(self) -> UsedKey:
        """What makes two codes the same one; never a signature, of which ECDSA has two for one message."""
        return self.acct_ref, self.gen_time, self.nonce


@dataclass(frozen=True, slots=True)
class IssuerKey:
    """One issuer key as a gate knows it; after `until` (Unix seconds) it counts as revoked."""

    public: Ed25519PublicKey
    revoked: bool = False
    until: int | None = None


Trust = Mapping[int, IssuerKey]


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a gate knows and allows: issuers, codes it has let through, accounts shut out, types, whose codes.

    `operator`: the `custom` of its own operator's grants (domain-rules T5); b"" takes every operator's.
    """

    trust: Trust
    used: Container[UsedKey]
    denied: Container[bytes]  # acct_refs
    allowed: Collection[int] = (Type.SELF, Type.COMPANION)
    skew_s: int = SKEW_S
    operator: bytes = b""


def grant(content: Grant, sign: Sign) -> bytes:
    """Make the signed grant; `sign` is the issuer's Ed25519. `ValueError` for what cannot be one."""
    if len(content.custom) > CUSTOM_BYTES:
        raise ValueError(f"custom has more than {CUSTOM_BYTES} bytes")
    _require(content.acct_ref, ACCT_REF_BYTES, "acct_ref")
    _require(content.user_key, USER_KEY_BYTES, "user_key")
    try:
        head = _GRANT.pack(
            VERSION,
            Kind.DEVICE,
            ECDSA_P256,
            content.kid,
            content.acct_ref,
            content.type,
            content.cap_fen.to_bytes(3),
            content.user_key,
            content.expires_at,
            content.ttl_s,
            len(content.custom),
        )
    except (struct.error, OverflowError) as wide:
        raise ValueError(f"a field does not fit: {wide}") from wide
    issued = head + content.custom
    return issued + _signature(sign, GRANT_TAG + issued)


def device_code(granted: bytes, gen_time: int, nonce: bytes, sign: Sign) -> bytes:
    """Make what the page makes under a grant; `sign` is the device's ECDSA P-256."""
    _require(nonce, NONCE_BYTES, "nonce")
    made = granted + _MOMENT.pack(gen_time, nonce)
    return made + _signature(sign, DEVICE_TAG + made)


def server_code(content: ServerCode, sign: Sign) -> bytes:
    """Make a whole code of kind S; `sign` is the issuer's Ed25519. `ValueError` for what cannot be one."""
    _require(content.acct_ref, ACCT_REF_BYTES, "acct_ref")
    _require(content.nonce, NONCE_BYTES, "nonce")
    try:
        issued = _SERVER.pack(
            VERSION,
            Kind.SERVER,
            content.kid,
            content.acct_ref,
            content.type,
            content.cap_fen.to_bytes(3),
            content.gen_time,
            content.ttl_s,
            content.nonce,
        )
    except (struct.error, OverflowError) as wide:
        raise ValueError(f"a field does not fit: {wide}") from wide
    return issued + _signature(sign, SERVER_TAG + issued)


def read(raw: bytes) -> Code:
    """Take the bytes apart; `Unreadable` if they are no code of this version. Nothing is believed yet."""
    if len(raw) < 2:  # noqa: PLR2004 - version and kind
        raise Unreadable("shorter than any code")
    if raw[0] != VERSION:
        raise Unreadable(f"version {raw[0]}")
    if raw[1] == Kind.DEVICE:
        return _read_device(raw)
    if raw[1] == Kind.SERVER:
        return _read_server(raw)
    raise Unreadable(f"kind {raw[1]}")


def _read_device(raw: bytes) -> Code:
    if len(raw) < _GRANT.size:
        raise Unreadable(f"{len(raw)} bytes are no code of kind D")
    _, _, alg, kid, acct_ref, for_whom, cap, user_key, expires_at, ttl_s, more = _GRANT.unpack_from(raw)
    if alg != ECDSA_P256:
        raise Unreadable(f"alg {alg}")
    signed = _GRANT.size + more
    made = signed + SIGNATURE_BYTES + _MOMENT.size
    if more > CUSTOM_BYTES or len(raw) != made + SIGNATURE_BYTES:
        raise Unreadable(f"{len(raw)} bytes are no code of kind D with {more} bytes of its own")
    if user_key[0] not in {2, 3}:
        raise Unreadable("the device's key is not a compressed point")
    gen_time, nonce = _MOMENT.unpack_from(raw, signed + SIGNATURE_BYTES)
    return Code(
        kind=Kind.DEVICE,
        kid=kid,
        acct_ref=acct_ref,
        type=for_whom,
        cap_fen=int.from_bytes(cap),
        gen_time=gen_time,
        ttl_s=ttl_s,
        nonce=nonce,
        issued=raw[:signed],
        issuer_signature=raw[signed : signed + SIGNATURE_BYTES],
        expires_at=expires_at,
        user_key=user_key,
        custom=raw[_GRANT.size : signed],
        made=raw[:made],
        user_signature=raw[made:],
    )


def _read_server(raw: bytes) -> Code:
    if len(raw) != _SERVER.size + SIGNATURE_BYTES:
        raise Unreadable(f"{len(raw)} bytes are no code of kind S")
    _, _, kid, acct_ref, for_whom, cap, gen_time, ttl_s, nonce = _SERVER.unpack_from(raw)
    return Code(
        kind=Kind.SERVER,
        kid=kid,
        acct_ref=acct_ref,
        type=for_whom,
        cap_fen=int.from_bytes(cap),
        gen_time=gen_time,
        ttl_s=ttl_s,
        nonce=nonce,
        issued=raw[: _SERVER.size],
        issuer_signature=raw[_SERVER.size :],
    )


def verify(raw: bytes, grounds: Grounds, now: int) -> Code:
    """Check everything, in the order of domain-rules 2.2; `Refused` names the first thing wrong.

    `now` is Unix seconds of the gate's clock. Who opens afterwards puts `used_key` into the used-set first.
    """
    code = read(raw)
    check_issuer(code, grounds.trust, now)
    check_operator(code, grounds.operator)
    if code.expires_at is not None and now - code.expires_at > grounds.skew_s:
        raise Refused(Reason.GRANT_EXPIRED)
    check_user(code)
    if code.gen_time - now > grounds.skew_s:
        raise Refused(Reason.FUTURE)
    if now - code.gen_time > code.ttl_s + grounds.skew_s:
        raise Refused(Reason.EXPIRED)
    if code.used_key in grounds.used:
        raise Refused(Reason.USED)
    if code.acct_ref in grounds.denied:
        raise Refused(Reason.DENIED)
    if code.type not in grounds.allowed:
        raise Refused(Reason.ONLY_OUT if code.type == Type.WAY_OUT else Reason.TYPE)
    return code


def check_issuer(code: Code, trust: Trust, now: int) -> None:
    """The issuer is known, not revoked, and signed this; the key is the trust store's, never the code's."""
    issuer = trust.get(code.kid)
    if issuer is None:
        raise Refused(Reason.UNKNOWN_ISSUER)
    if issuer.revoked or (issuer.until is not None and now > issuer.until):
        raise Refused(Reason.REVOKED_ISSUER)
    tag = GRANT_TAG if code.kind is Kind.DEVICE else SERVER_TAG
    try:
        issuer.public.verify(code.issuer_signature, tag + code.issued)
    except InvalidSignature:
        raise Refused(Reason.FORGED_ISSUER) from None


def check_operator(code: Code, operator: bytes) -> None:
    """The issuer signed this grant for our operator. A code of kind S names none: its key alone does."""
    if operator and code.kind is Kind.DEVICE and code.custom != operator:
        raise Refused(Reason.FOREIGN)


def check_user(code: Code) -> None:
    """The key named by the grant made this code. A code of kind S has no such key."""
    if code.kind is Kind.SERVER:
        return
    r, s = int.from_bytes(code.user_signature[:32]), int.from_bytes(code.user_signature[32:])
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(_P256, code.user_key)
        key.verify(encode_dss_signature(r, s), DEVICE_TAG + code.made, _ECDSA)
    except (InvalidSignature, ValueError):  # ValueError: a point that is not on the curve
        raise Refused(Reason.FORGED_USER) from None


def device_signer(private: ec.EllipticCurvePrivateKey) -> Sign:
    """Sign as WebCrypto does: r and s, 32 bytes each."""

    def sign(message: bytes) -> bytes:
        r, s = decode_dss_signature(private.sign(message, _ECDSA))
        return r.to_bytes(32) + s.to_bytes(32)

    return sign


_P256 = ec.SECP256R1()
_ECDSA = ec.ECDSA(SHA256())

# The text in the QR code: RFC 9285. Its 45 characters are those of QR's alphanumeric mode, in which it
# needs 8.25 bits a byte: version 10 at level M for a code of kind D, where base32 needs version 11.
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_PAIRS = [low + high for high in _ALPHABET for low in _ALPHABET]
_VALUES = {pair: value for value, pair in enumerate(_PAIRS)}
_HIGH = {character: value * len(_PAIRS) for value, character in enumerate(_ALPHABET)}
LONGEST_TEXT = (LONGEST // 2) * 3 + (LONGEST % 2) * 2


def armour(raw: bytes) -> str:
    """Write bytes as the text of a QR code (base45)."""
    pairs = len(_PAIRS)
    whole = [
        _PAIRS[two % pairs] + _ALPHABET[two // pairs]
        for (two,) in struct.iter_unpack(">H", raw[: len(raw) & ~1])
    ]
    return "".join(whole) + (_PAIRS[raw[-1]] if len(raw) % 2 else "")


def unarmour(text: str) -> bytes:
    """Read the text of a QR code; `Unreadable` if it is none of ours, or longer than any code."""
    if len(text) > LONGEST_TEXT:
        raise Unreadable("longer than any code")
    try:
        values = [_VALUES[text[at : at + 2]] + _HIGH[text[at + 2]] for at in range(0, len(text) - 2, 3)]
        whole = struct.pack(f">{len(values)}H", *values)
        rest = text[3 * len(values) :]
        return whole + (bytes((_VALUES[rest],)) if rest else b"")
    except (KeyError, struct.error, ValueError):
        raise Unreadable("not the text of a ride code") from None


def _signature(sign: Sign, message: bytes) -> bytes:
    signature = sign(message)
    _require(signature, SIGNATURE_BYTES, "the signature")
    return signature


def _require(value: bytes, size: int, name: str) -> None:
    if len(value) != size:
        raise ValueError(f"{name} has {len(value)} bytes instead of {size}")
