"""A rider's phone, an issuer and a gate's grounds, made of fixed keys; and the pictures phones show."""

import io
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image

from gate.code import (
    Grant,
    Grounds,
    IssuerKey,
    ServerCode,
    Type,
    UsedKey,
    armour,
    device_code,
    device_signer,
    grant,
    server_code,
)
from gate.signing import unpadded
from gate.trust import Denial, Issuer, TrustList

NOW = 1_795_395_600
KID = 7
ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_ISSUER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
PHONE = ec.derive_private_key(0x1234_5678_9ABC_DEF0_1234_5678_9ABC_DEF0, ec.SECP256R1())
OTHER_PHONE = ec.derive_private_key(0x0FED_CBA9_8765_4321_0FED_CBA9_8765_4321, ec.SECP256R1())
ACCT_REF = bytes(range(0xA0, 0xB0))
NONCE = bytes(range(8))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def public(phone: ec.EllipticCurvePrivateKey) -> bytes:
    """What the page sends of its key."""
    return phone.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


GRANT = Grant(KID, ACCT_REF, Type.SELF, 1200, public(PHONE), NOW + 900, 30)
PICTURE = ServerCode(KID, ACCT_REF, Type.SELF, 1200, NOW, 120, NONCE)


def granted(issuer: Ed25519PrivateKey = ISSUER, **changes: Any) -> bytes:
    """A grant as the server hands it to the page."""
    return grant(replace(GRANT, **changes), issuer.sign)


def shown(
    at: int = NOW,
    nonce: bytes = NONCE,
    *,
    under: bytes = b"",
    phone: ec.EllipticCurvePrivateKey = PHONE,
) -> bytes:
    """What the page shows at a time."""
    return device_code(under or granted(), at, nonce, device_signer(phone))


def sent(issuer: Ed25519PrivateKey = ISSUER, **changes: Any) -> bytes:
    """What goes out as a picture in chat."""
    return server_code(replace(PICTURE, **changes), issuer.sign)


def malleated(code: bytes) -> bytes:
    """The same code under the other of its two ECDSA signatures: s → n − s."""
    s = int.from_bytes(code[-32:])
    return code[:-32] + (ORDER - s).to_bytes(32)


@dataclass
class Knowledge:
    """What a gate knows, to be changed by a test."""

    trust: dict[int, IssuerKey] = field(default_factory=lambda: {KID: IssuerKey(ISSUER.public_key())})
    used: set[UsedKey] = field(default_factory=set)
    denied: set[bytes] = field(default_factory=set)
    allowed: Collection[int] = (Type.SELF,)
    operator: bytes = b""

    @property
    def grounds(self) -> Grounds:
        return Grounds(self.trust, self.used, self.denied, self.allowed, operator=self.operator)


def trust_list(
    now_ms: int = NOW * 1000, denied: tuple[bytes, ...] = (), *, revoked: bool = False
) -> TrustList:
    """What the server would tell a gate."""
    issuers = (Issuer(KID, unpadded(ISSUER.public_key().public_bytes_raw()), revoked),)
    return TrustList(now_ms, issuers, tuple(Denial(unpadded(each), NOW + 900) for each in denied))


def picture(code: bytes, scale: int = 4, kind: str = "PNG") -> bytes:
    """The QR code of a code, as a phone's screenshot has it."""
    made = zxingcpp.create_barcode(armour(code), zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    modules: Any = zxingcpp.write_barcode_to_image(made, scale=scale)
    image = Image.frombuffer("L", (modules.shape[1], modules.shape[0]), memoryview(modules).tobytes())
    written = io.BytesIO()
    image.save(written, kind)
    return written.getvalue()
