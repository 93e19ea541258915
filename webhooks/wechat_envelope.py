"""The envelope of a push: who signed it, when, under which key; and the same around our reply."""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Literal, NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from core.chance import draw
from core.errors import BootError
from webhooks.wechat_refusals import FORBIDDEN, PushRefusedError
from webhooks.wechat_xml import parse, word

Mode = Literal["plain", "compatible", "safe"]

FRESH_S = 300  # how far the signed timestamp may lie from our clock, either way

_BLOCK = 32  # WeChat pads to 32 bytes, although AES itself works on 16
_AES_BLOCK = 16
_HEAD = 20  # 16 random bytes and a 4-byte length stand before the message
_PADS = tuple(bytes([size]) * size for size in range(_BLOCK + 1))
_NONCE = 8
_MAX_NONCE = 64
# No zero in front: the nonce beside it could lend it one, and one signature would vouch for both pairs.
_STAMP = re.compile("[1-9][0-9]{0,11}")
# The body of a safe-mode push as WeChat writes it, around its signed part; other forms go to the XML reader.
_SAFE_HEAD = re.compile(rb"<xml>\s*<ToUserName><!\[CDATA\[[\w.@-]*\]\]></ToUserName>\s*<Encrypt><!\[CDATA\[")
_SAFE_TAIL = re.compile(rb"\]\]></Encrypt>\s*</xml>\s*")
_AES_KEY = re.compile(r"[A-Za-z0-9]{43}")
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """What one official account and WeChat know of each other, as in `[accounts.<key>]`.

    The previous token and key stay valid beside the current ones while a change is under way.
    A value nobody could work with is a `BootError` that names the setting.
    """

    key: str
    original_id: str
    appid: str
    token: str = field(repr=False)
    aes_key: str = field(default="", repr=False)
    previous_token: str = field(default="", repr=False)
    previous_aes_key: str = field(default="", repr=False)
    mode: Mode = "safe"

    def __post_init__(self) -> None:
        if not _ACCOUNT.fullmatch(self.key):
            raise BootError(f"accounts.{self.key}: an account's name is lower-case letters, digits, _ and -")
        place = f"accounts.{self.key}"
        for name in ("original_id", "token"):
            if not getattr(self, name).strip():
                raise BootError(f"{place}.{name} is empty: copy it from the account's page at WeChat")
        if self.mode not in {"plain", "compatible", "safe"}:
            raise BootError(f'{place}.mode must be "plain", "compatible" or "safe"')
        if self.mode == "plain":
            return
        if not self.appid.strip():
            raise BootError(f"{place}.appid is empty: mode {self.mode} needs it")
        for name in ("aes_key", "previous_aes_key"):
            value = getattr(self, name)
            if not _AES_KEY.fullmatch(value) and (value or name == "aes_key"):
                raise BootError(
                    f"{place}.{name} must be the 43 letters and digits of WeChat's EncodingAESKey"
                )


def require_own_tokens(accounts: Sequence[AccountKeys]) -> None:
    """Refuse a plain-mode account whose token another one has, too: a `BootError`.

    There a signature covers no body; one overheard at one account would vouch for any body at the other.
    """
    for one, other in permutations(accounts, 2):
        tokens = {one.token, one.previous_token} - {""}
        if one.mode == "plain" and tokens & {other.token, other.previous_token}:
            raise BootError(
                f"accounts.{one.key}.token is a token of accounts.{other.key}, too: "
                "an account in plain mode needs one of its own (set another at WeChat and here)"
            )


class MessageKey:
    """One EncodingAESKey of one appid: opens and closes messages (wechat-facts 1.3).

    Every message begins at the same IV, but making a cipher context costs more than using it. So one context
    each way is kept: CBC decrypts with the ciphertext block before, which may as well be an IV put in front.
    It encrypts with the block it wrote last; that this is not the IV changes what the random first block of
    a message reads as, and nothing behind it. For one thread only.
    """

    def __init__(self, aes_key: str, appid: str) -> None:
        key = b64decode(aes_key + "=")
        self._iv = key[:_AES_BLOCK]
        cipher = Cipher(algorithms.AES(key), modes.CBC(self._iv))
        self._decryptor, self._encryptor = cipher.decryptor(), cipher.encryptor()
        self._appid = appid.encode()

    def open(self, encrypted: str) -> bytes:
        """Decrypt the text of an `Encrypt` field; `PushRefusedError` unless every part of it is right."""
        try:
            sealed = binascii.a2b_base64(encrypted, strict_mode=True)
        except ValueError as broken:  # also what is not ASCII
            raise PushRefusedError("Encrypt is not base64") from broken
        if not sealed or len(sealed) % _AES_BLOCK:
            raise PushRefusedError("Encrypt is cut short")
        plain = self._decryptor.update(self._iv + sealed)
        size = plain[-1]
        if not 0 < size <= _BLOCK or not plain.endswith(_PADS[size]):
            raise PushRefusedError("wrong padding: another EncodingAESKey?", FORBIDDEN)
        end = _AES_BLOCK + _HEAD + int.from_bytes(plain[2 * _AES_BLOCK : _AES_BLOCK + _HEAD], "big")
        # One comparison checks the length and the appid: a length that lies leaves another rest.
        if plain[end:-size] != self._appid:
            raise PushRefusedError("encrypted for another appid, or with a wrong length", FORBIDDEN)
        return plain[_AES_BLOCK + _HEAD : end]

    def close(self, message: bytes, random: bytes) -> str:
        """Encrypt a message after 16 bytes nobody can foresee, as the text of an `Encrypt` field.

        Only of the first message the receiver finds just these bytes, of later ones others as unforeseeable.
        """
        pad = _PADS[_BLOCK - (_HEAD + len(message) + len(self._appid)) % _BLOCK]
        sealed = self._encryptor.update(
            b"".join((random, len(message).to_bytes(4, "big"), message, self._appid, pad))
        )
        return binascii.b2a_base64(sealed, newline=False).decode()


class Opened(NamedTuple):
    """An authentic message, and what vouched for it: its reply goes out under the same token and key."""

    message: bytes
    token: str
    key: MessageKey | None


class Envelope:
    """Opens what arrives for one account and closes what goes back."""

    def __init__(self, account: AccountKeys) -> None:
        self.encrypted = account.mode != "plain"
        self._tokens = tuple(filter(None, (account.token, account.previous_token)))
        keys = (account.aes_key, account.previous_aes_key) if self.encrypted else ()
        self._keys = tuple(MessageKey(key, account.appid) for key in keys if key)

    def check(self, query: Mapping[str, str], now: int) -> None:
        """Vouch for the query of a URL verification, which is signed alike in every mode."""
        _check_fresh(query, now)
        self._token_of(query, "signature")

    def open(self, query: Mapping[str, str], body: bytes, now: int) -> Opened:
        """Return the authentic message of a push, or raise `PushRefusedError`.

        The mode comes from our configuration; what the query says of it counts for nothing. Of an encrypted
        push only what was encrypted is used, for the rest of its body nobody has signed.
        """
        _check_fresh(query, now)
        if not self.encrypted:
            return Opened(body, self._token_of(query, "signature"), None)
        encrypted = _encrypted_part(body)
        token = self._token_of(query, "msg_signature", encrypted)
        return self._decrypt(encrypted, token)

    def _decrypt(self, encrypted: str, token: str) -> Opened:
        """Try the current key, then the previous one; the first key's refusal is the one that counts."""
        refusal: PushRefusedError | None = None
        for key in self._keys:
            try:
                return Opened(key.open(encrypted), token, key)
            except PushRefusedError as refused:
                refusal = refusal or refused
        raise refusal or PushRefusedError("no key")

    def _token_of(self, query: Mapping[str, str], name: str, *signed: str) -> str:
        """Return the token under which `name` signs timestamp, nonce and `signed` (constant time)."""
        timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not 0 < len(nonce) <= _MAX_NONCE:
            raise PushRefusedError("nonce missing or too long", FORBIDDEN)
        given = query.get(name, "").encode(errors="replace")
        for token in self._tokens:
            if hmac.compare_digest(sign(token, timestamp, nonce, *signed).encode(), given):
                return token
        raise PushRefusedError(f"wrong {name}", FORBIDDEN)


def _encrypted_part(body: bytes) -> str:
    """Return the `Encrypt` field, the only part of the body that is signed."""
    if head := _SAFE_HEAD.match(body):
        end = body.find(b"]", head.end())
        if _SAFE_TAIL.fullmatch(body, end) and body.isascii():
            return body[head.end() : end].decode()
    encrypted = word(parse(body), "Encrypt")
    if not encrypted:
        raise PushRefusedError("no Encrypt field: is the account in plain mode at WeChat?")
    return encrypted


def close(reply: str, opened: Opened, now: int) -> str:
    """Put a reply into the envelope its push came in: clear, or under the same token and key."""
    if opened.key is None:
        return reply
    chance = draw(_AES_BLOCK + _NONCE)
    encrypted = opened.key.close(reply.encode(), chance[:_AES_BLOCK])
    nonce = chance[_AES_BLOCK:].hex()
    return (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
        f"<MsgSignature><![CDATA[{sign(opened.token, str(now), nonce, encrypted)}]]></MsgSignature>"
        f"<TimeStamp>{now}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
    )


def sign(*parts: str) -> str:
    """WeChat's signature: SHA-1 over the sorted parts, in lower-case hex (wechat-facts 1.1)."""
    # Chosen by WeChat, not by us; the token among the parts is what keeps it from being forged.
    return hashlib.sha1("".join(sorted(parts)).encode(errors="replace"), usedforsecurity=False).hexdigest()


def _check_fresh(query: Mapping[str, str], now: int) -> None:
    """Refuse a query that was captured earlier, or signed by a clock far ahead."""
    timestamp = query.get("timestamp", "")
    if not _STAMP.fullmatch(timestamp):
        raise PushRefusedError("timestamp is no number", FORBIDDEN)
    if abs(now - int(timestamp)) > FRESH_S:
        raise PushRefusedError("stale: signed more than 5 minutes from now; is our clock right?", FORBIDDEN)
