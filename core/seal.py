"""Sealing what is personal: AES-256-GCM, key id in front, the place it belongs to as associated data."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.chance import draw

_NONCE = 12
KEY_BYTES = 32
_HMAC_BLOCK = 64  # SHA-256's own
_FINGERPRINT_BYTES = 16
# No conversation (`<account>:…`) and no capability (`\0…`) is named like the key of fingerprints.
_FINGERPRINTS = b"\1key of fingerprints"


class SealBrokenError(Exception):
    """What was to be opened was not sealed by us, for this place, with a key of the ring."""


class Seal:
    """Seals and opens small secrets, and turns openids into conversation names.

    `keys` maps a key id (0–255) to 32 bytes; `current` seals, all of them open. `index_key` is the key under
    which openids become conversation names, links are made and what is personal is found again; it outlives
    every rotation of the others.
    """

    def __init__(self, keys: Mapping[int, bytes], *, current: int, index_key: bytes) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._current = self._ciphers[current]
        self._prefix = bytes([current])
        # HMAC-SHA256 by its two hashes (RFC 2104): Python's own object costs more than the hashing.
        block = index_key.ljust(_HMAC_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._fingerprint_key = hmac.digest(index_key, _FINGERPRINTS, "sha256")

    def seal(self, plain: bytes, context: str) -> bytes:
        """Seal `plain` for one place, such as "session:<conversation>"; it opens only there."""
        nonce = draw(_NONCE)
        return self._prefix + nonce + self._current.encrypt(nonce, plain, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Open what was sealed for this place; anything else raises `SealBrokenError`."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise SealBrokenError("sealed with a key that is not on the ring")
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context.encode())
        except (InvalidTag, ValueError) as broken:
            raise SealBrokenError("altered, cut short or sealed for another place") from broken

    def conversation(self, account: str, openid: str) -> str:
        """Name a conversation without its openid: `<account>:<32 hex digits>`."""
        return f"{account}:{self._indexed(f'{account}:{openid}').hex()}"

    def capability(self, purpose: str, about: str) -> str:
        """128 bits that only we can make for this purpose and object, as 22 characters fit for an address."""
        # No account's name begins like this, so these are nobody's conversation.
        bits = self._indexed(f"\0{purpose}\0{about}")
        return base64.urlsafe_b64encode(bits).rstrip(b"=").decode()

    def is_capability(self, purpose: str, about: str, given: str) -> bool:
        """Tell whether these are the characters that `capability` makes."""
        return hmac.compare_digest(self.capability(purpose, about).encode(), given.encode())

    def fingerprint(self, text: str, context: str) -> bytes:
        """16 bytes under which a sealed text can be found again: the same for ever for one text and context.

        Who has the database but not the ring cannot try texts out. `context` says what the text is, such as
        "id_number"; of two contexts the fingerprints of one text have nothing in common.
        """
        place = context.encode()
        told = len(place).to_bytes(2) + place + text.encode()
        return hmac.digest(self._fingerprint_key, told, "sha256")[:_FINGERPRINT_BYTES]

    def _indexed(self, what: str) -> bytes:
        """The first half of HMAC-SHA256 under the key that outlives rotations."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(what.encode())
        outer.update(inner.digest())
        return outer.digest()[:16]
