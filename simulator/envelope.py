"""Signs and encrypts pushes, and opens encrypted answers: the platform's side of the wire."""

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from wechatpy.crypto.base import WeChatCipher

from simulator import xml
from simulator.accounts import Account
from simulator.xml import Field

BLOCK = 32  # WeChat pads to 32 bytes, not to the 16 of AES
HEAD = 20  # 16 random bytes and the length


@dataclass(frozen=True, slots=True)
class Sealed:
    """One push as it goes over the wire."""

    query: dict[str, str]
    body: bytes


class BadEnvelopeError(ValueError):
    """An encrypted answer that the platform cannot open."""


class Envelope:
    """The signatures and the cipher of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._key = base64.b64decode(account.aes_key + "=") if account.encrypts else b""
        self._appid = account.appid.encode()

    def seal(self, fields: Sequence[Field], openid: str, now: float) -> Sealed:
        """The query and the body of one push in the account's mode."""
        timestamp, nonce = str(int(now)), str(secrets.randbelow(9 * 10**8) + 10**8)
        query = self.signed(timestamp, nonce) | {"openid": openid}
        if not self._key:
            return Sealed(query, xml.write(fields).encode())
        encrypted = self._encrypt(xml.write(fields).encode())
        query["encrypt_type"] = "aes"
        query["msg_signature"] = self._signature(timestamp, nonce, encrypted)
        clear = fields if self._account.mode == "compatible" else fields[:1]  # the first is ToUserName
        return Sealed(query, xml.write([*clear, Field("Encrypt", encrypted)]).encode())

    def signed(self, timestamp: str, nonce: str) -> dict[str, str]:
        signature = self._signature(timestamp, nonce)
        return {"signature": signature, "timestamp": timestamp, "nonce": nonce}

    def open(self, encrypted: str, signature: str, timestamp: str, nonce: str) -> bytes:
        """The clear answer inside `Encrypt`; raises BadEnvelopeError saying what does not hold."""
        if not self._key:
            raise BadEnvelopeError("an encrypted answer of an account in plain mode")
        expected = self._signature(timestamp, nonce, encrypted)
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise BadEnvelopeError("MsgSignature is wrong")
        return self._decrypt(encrypted)

    def _encrypt(self, clear: bytes) -> str:
        """As wechatpy does, with its cipher, but fast enough for a receipt after each of many sends."""
        plain = secrets.token_bytes(16) + struct.pack(">I", len(clear)) + clear + self._appid
        pad = BLOCK - len(plain) % BLOCK
        cipher_text = WeChatCipher(self._key).encrypt(plain + bytes([pad]) * pad)
        return base64.b64encode(cipher_text).decode()

    def _decrypt(self, encrypted: str) -> bytes:
        try:
            cipher_text = base64.b64decode(encrypted, validate=True)
        except binascii.Error as wrong:
            raise BadEnvelopeError("Encrypt is no base64") from wrong
        if not cipher_text or len(cipher_text) % 16:
            raise BadEnvelopeError("Encrypt is no multiple of the cipher's block")
        # wechatpy's own decrypt looks at neither padding nor length, so only its cipher is used.
        padded: bytes = WeChatCipher(self._key).decrypt(cipher_text)
        pad = padded[-1]
        if not 1 <= pad <= BLOCK or padded[-pad:] != bytes([pad]) * pad:
            raise BadEnvelopeError("the padding is wrong, or the key is another one")
        plain = padded[:-pad]
        if len(plain) < HEAD:
            raise BadEnvelopeError("the plain text is too short")
        end = HEAD + struct.unpack(">I", plain[16:HEAD])[0]
        if plain[end:] != self._appid:
            raise BadEnvelopeError("the appid inside is another one, or the length is wrong")
        return plain[HEAD:end]

    def _signature(self, *parts: str) -> str:
        together = "".join(sorted((self._account.token, *parts)))
        return hashlib.sha1(together.encode()).hexdigest()  # noqa: S324 (WeChat's own signature)
