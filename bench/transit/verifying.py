"""Codes a gate verifies in a second on one core, beside the bare signature checks of the same codes."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.figures import paired, spread
from bench.webhook.load import LoadFailedError
from bench.webhook.report import Figure
from gate.code import (
    DEVICE_TAG,
    GRANT_TAG,
    Grant,
    Grounds,
    IssuerKey,
    Type,
    armour,
    device_code,
    device_signer,
    grant,
    read,
    unarmour,
    verify,
)
from gate.used import UsedSet

_KID, _NOW, _TTL_S = 7, 1_795_395_600, 30
_CURVE, _ECDSA = ec.SECP256R1(), ec.ECDSA(SHA256())
Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Riders:
    """Codes of kind D, each of a phone and a grant of its own, and the issuer's key."""

    issuer: Ed25519PublicKey
    codes: list[bytes]

    @classmethod
    def of(cls, count: int) -> "Riders":
        """So many riders."""
        issuer = Ed25519PrivateKey.generate()
        return cls(issuer.public_key(), [_code(issuer) for _ in range(count)])


def _code(issuer: Ed25519PrivateKey) -> bytes:
    phone = ec.generate_private_key(_CURVE)
    point = phone.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    content = Grant(_KID, os.urandom(16), Type.SELF, 1200, point, _NOW + 900, _TTL_S)
    return device_code(grant(content, issuer.sign), _NOW, os.urandom(8), device_signer(phone))


def measured(riders: Riders, rounds: int) -> list[Figure]:
    """In each round all three in turn, another one first each time."""
    ways = [_bare(riders), _whole(riders), _from_text(riders)]
    rates: list[list[float]] = [[], [], []]
    for number in range(rounds):
        for step in range(len(ways)):
            which = (number + step) % len(ways)
            rates[which].append(len(riders.codes) / _cpu_s(ways[which]))
    bare, whole, text = rates
    return [
        Figure(
            "verify_to_bare", "a code verified ÷ its bare signature checks", "×", paired(whole, bare), 0.8
        ),
        Figure("verify_rate", "codes verified on one core", "1/s", spread(whole), 2500),
        Figure("verify_text_rate", "the same from the text of the QR code", "1/s", spread(text)),
        Figure(
            "bare_rate", "bare checks: Ed25519, and ECDSA with the point of the code", "1/s", spread(bare)
        ),
    ]


def _bare(riders: Riders) -> Check:
    """What no verifier can do without: two signatures, and the point for the second of them."""
    prepared = [_prepared(code) for code in riders.codes]

    def check() -> None:
        for issued, issuer_signature, point, made, user_signature in prepared:
            riders.issuer.verify(issuer_signature, issued)
            key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, point)
            key.verify(user_signature, made, _ECDSA)

    return check


def _prepared(raw: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    code = read(raw)
    r, s = int.from_bytes(code.user_signature[:32]), int.from_bytes(code.user_signature[32:])
    signature = encode_dss_signature(r, s)
    return GRANT_TAG + code.issued, code.issuer_signature, code.user_key, DEVICE_TAG + code.made, signature


def _whole(riders: Riders) -> Check:
    return lambda: _let_through(riders.issuer, riders.codes)


def _from_text(riders: Riders) -> Check:
    texts = [armour(code) for code in riders.codes]
    return lambda: _let_through(riders.issuer, [unarmour(text) for text in texts])


def _let_through(issuer: Ed25519PublicKey, codes: Sequence[bytes]) -> None:
    """Everything a gate does but the disk, with a used-set that grows and a deny list to look into."""
    used = UsedSet(10)
    denied = frozenset(number.to_bytes(16) for number in range(1000))
    grounds = Grounds({_KID: IssuerKey(issuer)}, used, denied)
    for code in codes:
        used.add(verify(code, grounds, _NOW), _NOW)
    if len(used) != len(codes):
        raise LoadFailedError(f"{len(used)} of {len(codes)} codes were let through")


def _cpu_s(check: Check) -> float:
    """Processor time: what others do on this machine meanwhile is not ours."""
    began = time.process_time()
    check()
    return time.process_time() - began
