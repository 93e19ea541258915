"""What the garbage collector and the kernel are told once everything is up."""

import ctypes
import gc
import mmap
from pathlib import Path

_UNCOLLECTED = 20_000  # objects; hundreds of messages under way make their thousands and free them again
_HUGE = 2 * 1024 * 1024  # bytes
_COLLAPSE = 25  # MADV_COLLAPSE (Linux 6.1); Python's mmap does not name it
_MAPS = Path("/proc/self/maps")


def settle() -> None:
    """Tell the garbage collector that what is there now stays; call it when everything is up.

    A message leaves no circles behind. Left as it is, the collector would look through the whole program
    again and again, for tens of milliseconds, only because some messages happen to be under way.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_UNCOLLECTED)
    huge_pages()


def huge_pages() -> int:
    """Ask for huge pages under the heap; returns how many there are now.

    A message touches objects all over it; looking up so many small pages costs a few per cent of its time.
    Where the kernel has none to give, everything stays as it was.
    """
    if not _MAPS.exists():
        return 0
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    wanted = [
        at for begin, end in _heap() for at in range(-(-begin // _HUGE) * _HUGE, end - _HUGE + 1, _HUGE)
    ]
    for at in wanted:
        advise(at, _HUGE, mmap.MADV_HUGEPAGE)
    return sum(advise(at, _HUGE, _COLLAPSE) == 0 for at in wanted)


def _heap() -> list[tuple[int, int]]:
    """Where this process's own writable memory lies: from, to."""
    heap = []
    for line in _MAPS.read_text().splitlines():
        span, may, _, _, _, *name = line.split(maxsplit=5)
        if may.startswith("rw") and name in ([], ["[heap]"]):
            begin, _, end = span.partition("-")
            heap.append((int(begin, 16), int(end, 16)))
    return heap
