"""Several people on one phone: it is let be, and an operator sees it (C5)."""

from datetime import timedelta

from gate.code import ServerCode, Type, server_code
from services.transit.model import Sent
from services.transit.pairing import Way
from services.transit.repeated import repeated
from tests.services.transit.line import Line, after


async def goes_in(line: Line, account: str, people: int, *, minutes: float = 0) -> None:
    """So many, one behind the other, each with a fresh code of one grant."""
    gate = await line.gate("zhongnan")
    ref = await line.grant(account, after(minutes))
    for one in range(people):
        at = after(minutes + one / 10)
        content = ServerCode(1, ref, Type.SELF, 600, int(at.timestamp()), 30, bytes([one] * 8))
        gate.seq += 1
        code = server_code(content, lambda _: b"s" * 64)
        device = gate.device
        sent = Sent(gate.seq, int(at.timestamp() * 1000), Way.IN, device.line, code, device.station, "")
        await line.uploads(device, sent)


async def test_five_went_in_for_one_fare_and_nobody_saw_it(line: Line) -> None:
    crowd, honest = await line.rider(), await line.rider()
    await goes_in(line, crowd, 5)
    for minutes in (0, 30, 60):
        await goes_in(line, honest, 1, minutes=minutes)
    await goes_in(line, honest, 2, minutes=90)
    today = after(0).date()
    (found,) = await repeated(line.db, today, None, 10)
    assert (found.account, found.day, found.place, found.count) == (crowd, today, "m2 zhongnan", 5)
    assert await repeated(line.db, today + timedelta(days=1), None, 10) == []
    await goes_in(line, honest, 3, minutes=120)
    latest, first = await repeated(line.db, today, None, 10)
    assert (latest.account, first.account) == (honest, crowd)
    assert list(await repeated(line.db, today, latest.id, 10)) == [first]
