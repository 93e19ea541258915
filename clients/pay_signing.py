"""How WeChat Pay and a merchant know one another: signatures and seals (docs/pay-facts.md 1, 2)."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from core.errors import BootError

SCHEME = "WECHATPAY2-SHA256-RSA2048"
TIME, NONCE = "Wechatpay-Timestamp", "Wechatpay-Nonce"
SERIAL, SIGNATURE = "Wechatpay-Serial", "Wechatpay-Signature"
SKEW_S = 300
_KEY_BYTES = 32
_NONCE_BYTES = 12
_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Keys:
    """Our key, theirs, and the one notices are sealed with."""

    mch_id: str
    serial: str
    private: RSAPrivateKey = field(repr=False)
    platform_id: str
    platform: RSAPublicKey
    sealing: bytes = field(repr=False)

    @classmethod
    def read(
        cls, mch: tuple[str, str], private_pem: str, platform: tuple[str, str], api_v3_key: str
    ) -> "Keys":
        """Out of the settings: (number, serial), PEM, (id, PEM of a key or certificate), 32 characters."""
        sealing = api_v3_key.encode()
        if len(sealing) != _KEY_BYTES:
            raise BootError(f"pay.api_v3_key: what is given has not {_KEY_BYTES} characters")
        return cls(*mch, _private(private_pem), platform[0], _public(platform[1]), sealing)

    def authorization(self, method: str, target: str, moment: tuple[str, str], body: str) -> str:
        """The header of a request; `target` is its path with the query, `moment` time stamp and nonce."""
        said = "\n".join([method, target, *moment, body, ""]).encode()
        signature = base64.b64encode(self.private.sign(said, PKCS1v15(), SHA256())).decode()
        return (
            f'{SCHEME} mchid="{self.mch_id}",nonce_str="{moment[1]}",signature="{signature}",'
            f'timestamp="{moment[0]}",serial_no="{self.serial}"'
        )

    def distrust(self, headers: Mapping[str, str], body: bytes, now: float) -> str:
        """Why what came with these headers is not theirs; "" where it is."""
        at, nonce = headers.get(TIME, ""), headers.get(NONCE, "")
        if not (at.isascii() and at.isdecimal() and len(at) <= _MOST_DIGITS and nonce.isascii()):
            return "no time stamp"
        if headers.get(SERIAL, "") != self.platform_id:
            return "a serial that is not known"
        try:
            signature = base64.b64decode(headers.get(SIGNATURE, ""), validate=True)
            said = b"\n".join([at.encode(), nonce.encode(), body, b""])
            self.platform.verify(signature, said, PKCS1v15(), SHA256())
        except (InvalidSignature, binascii.Error, ValueError):
            return "a wrong signature"
        return "" if abs(now - int(at)) <= SKEW_S else "stale"

    def unseal(self, nonce: str, ciphertext: str, associated: str) -> bytes | None:
        """The content of a notice; None where it was not sealed with our key."""
        if len(nonce.encode()) != _NONCE_BYTES:
            return None
        try:
            sealed = base64.b64decode(ciphertext, validate=True)
            return AESGCM(self.sealing).decrypt(nonce.encode(), sealed, associated.encode())
        except (InvalidTag, binascii.Error, ValueError):
            return None


def _private(pem: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError):
        raise BootError("pay.private_key: what is given is no private key in PEM") from None
    if not isinstance(key, RSAPrivateKey):
        raise BootError("pay.private_key: what is given is no RSA key")
    return key


def _public(pem: str) -> RSAPublicKey:
    try:
        certificate = "BEGIN CERTIFICATE" in pem
        data = pem.encode()
        key = x509.load_pem_x509_certificate(data).public_key() if certificate else load_pem_public_key(data)
    except ValueError:
        raise BootError("pay.platform_key: what is given is no public key or certificate in PEM") from None
    if not isinstance(key, RSAPublicKey):
        raise BootError("pay.platform_key: what is given is no RSA key")
    return key
