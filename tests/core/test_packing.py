"""What is kept opens at its own place, with its own shape, and nowhere else."""

import msgspec
import pytest

from core.packing import Packing, UnreadableError
from core.seal import Seal


class Tea(msgspec.Struct):
    name: str
    cups: int = 1


TEAS = Packing(Tea, "tea")


def test_what_was_packed_is_read_back(seal: Seal) -> None:
    assert TEAS.unpack(TEAS.pack(Tea("龙井", 2), seal, "a"), seal, "a") == Tea("龙井", 2)


def test_it_opens_nowhere_else(seal: Seal) -> None:
    kept = TEAS.pack(Tea("龙井"), seal, "a")
    with pytest.raises(UnreadableError):
        TEAS.unpack(kept, seal, "b")
    with pytest.raises(UnreadableError):
        Packing(Tea, "cake").unpack(kept, seal, "a")


@pytest.mark.parametrize("plain", [b"\xc1", b"\x93\xa0\x90\xa1x", b""])
def test_another_shape_is_unreadable_too(seal: Seal, plain: bytes) -> None:
    with pytest.raises(UnreadableError):
        TEAS.unpack(seal.seal(plain, "tea:a"), seal, "a")
