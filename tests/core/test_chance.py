"""Random bytes: as many as asked for, and nobody gets those of another."""

import os
import threading

import pytest

from core.chance import draw


def test_no_piece_comes_twice_in_any_thread() -> None:
    drawn: list[list[bytes]] = [[] for _ in range(4)]

    def take(into: list[bytes]) -> None:
        into.extend(draw(16) for _ in range(5_000))

    threads = [threading.Thread(target=take, args=(each,)) for each in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    everything = [piece for each in drawn for piece in each]
    assert len(set(everything)) == len(everything) == 20_000
    assert {len(piece) for piece in everything} == {16}


def test_a_forked_process_draws_its_own() -> None:
    draw(1)  # something is left over for the child to inherit
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.write(write, b"".join(draw(32) for _ in range(8)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(read, 256)
    os.close(read)
    os.close(write)
    assert b"".join(draw(32) for _ in range(8)) != theirs


@pytest.mark.parametrize("size", [0, 33])
def test_what_a_piece_cannot_hold_is_a_mistake(size: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        draw(size)
