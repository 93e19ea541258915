"""Who was let in is let out, whatever has come in the way since; by a code that lets nobody in (J9)."""

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.stores.database import Database
from gate.code import Type, read
from services.transit.codes import MORE_PICTURES, MOST_PICTURES
from services.transit.errors import Closing, CodesUsedUp, InArrears, NotOpened, PicturesUsedUp, Suspended
from services.transit.model import Batch, Ingested, Reason
from tests.services.transit.line import after
from tests.services.transit.riding import KEY, NotAgreed, Riding

OPERATOR = ("operator:lin", "card found")


@pytest.fixture
def riding(db: Database, clock: ManualClock) -> Riding:
    clock.set(after(240))
    return Riding(db, clock)


async def taps(riding: Riding, citizen: str, place: str, way: str, minutes: float) -> Ingested:
    account = (await riding.transit.account(citizen)).id
    device, sent = await riding.line.tap(account, place, way, after(minutes))
    done = await riding.transit.ingest(device, Batch(riding.clock.now(), [sent]), riding.clock.now())
    await riding.transit.settle_all()
    return done


async def goes_in(riding: Riding, citizen: str) -> None:
    await taps(riding, citizen, "zhongnan", "in", 235)


async def leaves(riding: Riding, citizen: str) -> None:
    await taps(riding, citizen, "guanggu", "out", 239)


async def only_out(riding: Riding, citizen: str) -> object:
    """She gets a code; what is in the way of any but a way out."""
    granted = await riding.transit.grant(citizen, KEY)
    assert granted.signed[21] == (Type.WAY_OUT if granted.refusal else Type.SELF)
    return type(granted.refusal)


async def test_who_fell_behind_underground_could_not_come_out(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await goes_in(riding, citizen)
    await riding.fails(payment)
    assert await only_out(riding, citizen) is InArrears
    await leaves(riding, citizen)
    with pytest.raises(InArrears):
        await riding.transit.grant(citizen, KEY)
    await riding.pays(payment)
    assert (await riding.transit.grant(citizen, KEY)).signed[21] == Type.SELF


async def test_who_used_the_last_code_to_go_in_could_not_come_out(riding: Riding) -> None:
    citizen = await riding.opens()
    for number in range(19):
        await taps(riding, citizen, "E1", "board", number * 5)
    await goes_in(riding, citizen)
    assert await only_out(riding, citizen) is CodesUsedUp
    await leaves(riding, citizen)
    with pytest.raises(CodesUsedUp):
        await riding.transit.grant(citizen, KEY)


async def test_who_asked_to_close_underground_could_not_come_out(riding: Riding) -> None:
    citizen = await riding.opens()
    await goes_in(riding, citizen)
    await riding.transit.close(citizen)
    assert await only_out(riding, citizen) is Closing
    await leaves(riding, citizen)
    with pytest.raises(Closing):
        await riding.transit.grant(citizen, KEY)


async def test_whose_contract_ended_underground_could_not_come_out(riding: Riding) -> None:
    citizen = await riding.opens()
    await goes_in(riding, citizen)
    await riding.lets_go(citizen)
    assert await only_out(riding, citizen) is NotOpened


async def test_who_took_the_consent_back_underground_could_not_come_out(riding: Riding) -> None:
    citizen = await riding.opens()
    await goes_in(riding, citizen)
    riding.agreed.not_any_more.add(citizen)
    assert await only_out(riding, citizen) is NotAgreed
    await leaves(riding, citizen)
    with pytest.raises(NotAgreed):
        await riding.transit.grant(citizen, KEY)


async def test_the_fifth_picture_went_in_and_none_came_out(riding: Riding) -> None:
    citizen = await riding.opens()
    for _ in range(MOST_PICTURES):
        await riding.transit.picture(citizen)
    await goes_in(riding, citizen)
    for _ in range(MORE_PICTURES):
        made = await riding.transit.picture(citizen)
        assert (read(made.code).type, made.left) == (Type.WAY_OUT, 0)
    with pytest.raises(PicturesUsedUp):
        await riding.transit.picture(citizen)


async def test_who_is_suspended_asks_at_the_station(riding: Riding) -> None:
    """An operator decided so: even the codes they have open no gate."""
    citizen = await riding.opens()
    await goes_in(riding, citizen)
    await riding.transit.suspend(citizen, *OPERATOR)
    with pytest.raises(Suspended):
        await riding.transit.grant(citizen, KEY)


async def test_nobody_is_taken_along_by_a_way_out(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    await goes_in(riding, citizen)
    await riding.fails(payment)
    riding.clock.move(timedelta(minutes=1))
    with pytest.raises(InArrears):
        await riding.transit.grant(citizen, KEY, companion=True)


async def test_a_code_for_a_way_out_that_let_somebody_in_is_kept_aside(riding: Riding) -> None:
    """A gate that is built wrongly: the chain in, out and in again of who does not pay ends at the server."""
    account = (await riding.transit.account(await riding.opens())).id
    for place, way in (("zhongnan", "in"), ("E1", "board")):
        device, sent = await riding.line.tap(account, place, way, after(0), Type.WAY_OUT)
        told = await riding.line.uploads(device, sent)
        assert told.quarantined == {sent.seq: Reason.NOT_ALLOWED}
    device, sent = await riding.line.tap(account, "guanggu", "out", after(0), Type.WAY_OUT)
    assert (await riding.line.uploads(device, sent)).accepted == [sent.seq]


async def test_a_type_that_was_not_granted_is_nobodys(riding: Riding) -> None:
    account = (await riding.transit.account(await riding.opens())).id
    device, sent = await riding.line.tap(account, "guanggu", "out", after(0), Type.WAY_OUT)
    await riding.db.execute("UPDATE transit_grants SET type = 1")
    assert (await riding.line.uploads(device, sent)).quarantined == {sent.seq: Reason.UNKNOWN_CODE}
