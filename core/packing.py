"""Things kept outside of us: encoded, sealed for the one place they belong to, and read back from there."""

from typing import Generic, TypeVar

import msgspec

from core.seal import Seal, SealBrokenError

_T = TypeVar("_T")


class UnreadableError(SealBrokenError):
    """What was kept was sealed with a lost key or elsewhere, or has a shape this program does not know."""


class Packing(Generic[_T]):
    """How values of one type are kept, each at a place of its own: `<where>:<which>`."""

    def __init__(self, type_: type[_T], where: str) -> None:
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(type_).decode
        self._where = where

    def pack(self, value: _T, seal: Seal, which: str) -> bytes:
        """Encode and seal a value for its place."""
        return seal.seal(self._encode(value), f"{self._where}:{which}")

    def unpack(self, sealed: bytes, seal: Seal, which: str) -> _T:
        """Open what was kept at this place; `UnreadableError` for anything else."""
        try:
            return self._decode(seal.open(sealed, f"{self._where}:{which}"))
        except (SealBrokenError, msgspec.DecodeError) as broken:
            raise UnreadableError(str(broken)) from broken
