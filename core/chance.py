"""Random bytes for nonces and tokens, drawn from the kernel in blocks: a system call for each is dear."""

import os
from collections import deque

_PIECE = 32
_PIECES = 128
_drawn: deque[bytes] = deque()


def draw(size: int) -> bytes:
    """Return `size` (at most 32) random bytes that nobody else gets, in no other thread or process either."""
    if not 0 < size <= _PIECE:
        raise ValueError(f"1 to {_PIECE} random bytes at a time, not {size}")
    while True:
        try:
            return _drawn.pop()[:size]  # one step: two threads never get the same piece
        except IndexError:
            block = os.urandom(_PIECE * _PIECES)
            _drawn.extend(block[at : at + _PIECE] for at in range(0, len(block), _PIECE))


os.register_at_fork(after_in_child=_drawn.clear)
