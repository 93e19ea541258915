"""When commands leave: a few together, and not only once the turn of the loop is over."""

import asyncio

from core.stores.wire import Wire


class Recorder(asyncio.Transport):
    """A transport that writes down what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def abort(self) -> None:
        self.writes.append(b"cut")


async def connected() -> tuple[Wire, Recorder]:
    wire, recorder = Wire(asyncio.get_running_loop(), timeout_s=60.0), Recorder()
    wire.connection_made(recorder)
    return wire, recorder


async def test_redis_gets_to_work_while_a_long_turn_of_the_loop_goes_on() -> None:
    wire, recorder = await connected()
    commands = [b"%d;" % n for n in range(32)]

    for command in commands:
        wire.send(command)  # nothing awaited: the turn is not over

    assert b"".join(recorder.writes) == b"".join(commands[:30]), "six leave at a time"
    assert len(recorder.writes) == 5
    wire.abort()


async def test_what_is_left_over_leaves_when_the_turn_is_over() -> None:
    wire, recorder = await connected()
    answers = [wire.send(b"%d;" % n) for n in range(8)]

    await asyncio.sleep(0)

    assert recorder.writes == [b"0;1;2;3;4;5;", b"6;7;"]
    wire.data_received(b"".join(b":%d\r\n" % n for n in range(8)))
    assert [await answer for answer in answers] == list(range(8))
    wire.abort()
