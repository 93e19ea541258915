"""How the played WeChat Pay knows its merchant: RSA signatures both ways, and sealed notices."""

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

SKEW_S = 300
_PART = re.compile(r'(mchid|nonce_str|signature|timestamp|serial_no)="([^"]*)"')
_SCHEME = "WECHATPAY2-SHA256-RSA2048 "


@dataclass(frozen=True, slots=True)
class Merchant:
    """A merchant as WeChat Pay has it; keys are PEM. `plans` are numbers and what each is for."""

    mch_id: str
    serial: str
    private_key: str = field(repr=False)
    platform_key_id: str
    platform_private_key: str = field(repr=False)
    api_v3_key: str = field(repr=False)
    plans: Mapping[int, str]


class Keys:
    """Its keys, read once."""

    def __init__(self, merchant: Merchant) -> None:
        self.merchant = merchant
        self._theirs: RSAPublicKey = _private(merchant.private_key).public_key()
        self._ours = _private(merchant.platform_private_key)

    def is_theirs(self, authorization: str, said: tuple[str, str, str], now: float) -> bool:
        """Whether the merchant signed this (method, path with query, body) within the last minutes."""
        if not authorization.startswith(_SCHEME):
            return False
        parts = dict(_PART.findall(authorization))
        at, nonce = parts.get("timestamp", ""), parts.get("nonce_str", "")
        known = (parts.get("mchid"), parts.get("serial_no")) == (self.merchant.mch_id, self.merchant.serial)
        if not (known and at.isdecimal() and abs(now - int(at)) <= SKEW_S):
            return False
        method, target, body = said
        text = f"{method}\n{target}\n{at}\n{nonce}\n{body}\n"
        try:
            signature = base64.b64decode(parts.get("signature", ""))
            self._theirs.verify(signature, text.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True

    def sign(self, body: bytes, now: float, *, forged: bool = False) -> dict[str, str]:
        """The headers of an answer or a notice; a forged one has a signature of something else."""
        at, nonce = str(int(now)), secrets.token_hex(16)
        said = f"{at}\n{nonce}\n".encode() + (b"something else" if forged else body) + b"\n"
        signature = self._ours.sign(said, PKCS1v15(), SHA256())
        return {
            "Wechatpay-Timestamp": at,
            "Wechatpay-Nonce": nonce,
            "Wechatpay-Serial": self.merchant.platform_key_id,
            "Wechatpay-Signature": base64.b64encode(signature).decode(),
            "Wechatpay-Signature-Type": _SCHEME.strip(),
        }

    def seal(self, content: Mapping[str, object], kind: str) -> dict[str, str]:
        """What a notice tells, as nobody but the merchant can read it."""
        nonce = secrets.token_hex(6)
        plain = msgspec.json.encode(content)
        sealed = AESGCM(self.merchant.api_v3_key.encode()).encrypt(nonce.encode(), plain, kind.encode())
        return {
            "original_type": kind,
            "algorithm": "AEAD_AES_256_GCM",
            "ciphertext": base64.b64encode(sealed).decode(),
            "nonce": nonce,
            "associated_data": kind,
        }


def _private(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an RSA key")
    return key
