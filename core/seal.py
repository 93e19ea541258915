"""Sealing what is personal: AES-256-GCM, key id in front, the place it belongs to as associated data."""

import hashlib
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core.chance import draw

_NONCE = 12
KEY_BYTES = 32
_HMAC_BLOCK = 64  # SHA-256's own


class SealBrokenError(Exception):
    """What was to be opened was not sealed by us, for this place, with a key of the ring."""


class Seal:
    """Seals and opens small secrets, and turns openids into conversation names.

    `keys` maps a key id (0–255) to 32 bytes; `current` seals, all of them open. `index_key` is the key under
    which openids become conversation names; it outlives every rotation of the others.
    """

    def __init__(self, keys: Mapping[int, bytes], *, current: int, index_key: bytes) -> None:
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self._current = self._ciphers[current]
        self._prefix = bytes([current])
        # HMAC-SHA256 by its two hashes (RFC 2104): Python's own object costs more than the hashing.
        block = index_key.ljust(_HMAC_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

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
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(f"{account}:{openid}".encode())
        outer.update(inner.digest())
        return f"{account}:{outer.hexdigest()[:32]}"
