"""An account is opened by a contract, in arrears until paid, and closed once nothing is open (T1-T5)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.clock import ManualClock
from core.stores.database import Database, Transaction
from gate.code import Grounds, IssuerKey, Refused, Type, read, verify
from services.transit import accounts_store
from services.transit.codes import MOST_CODES, MOST_COMPANIONS, MOST_GRANTS, MOST_PICTURES
from services.transit.errors import (
    Closing,
    CodesUsedUp,
    InArrears,
    NoLines,
    NotOpened,
    PicturesUsedUp,
    TooManyCompanions,
    TooSoon,
)
from services.transit.issuer import IssuerGone
from services.transit.service import Parts, Transit
from tests.services.transit.line import TIMETABLE, Line, after
from tests.services.transit.riding import BACK, KEY, Riding


@pytest.fixture
def riding(db: Database, clock: ManualClock) -> Riding:
    clock.set(after(240))
    return Riding(db, clock)


async def test_from_nothing_to_a_code(riding: Riding) -> None:
    citizen = await riding.citizen()
    assert await riding.state(citizen) == "none"
    with pytest.raises(NotOpened):
        await riding.transit.grant(citizen, KEY)
    assert await riding.transit.open(citizen, BACK) == f"https://pay.example/{citizen}"
    assert await riding.state(citizen) == "consent"
    with pytest.raises(NotOpened):
        await riding.transit.grant(citizen, KEY)
    await riding.signs(citizen)
    granted = await riding.transit.grant(citizen, KEY)
    assert granted.expires_at - granted.now == timedelta(minutes=15)
    operator = granted.signed[65:-64]
    assert operator == TIMETABLE.network.operator.encode(), "T5: a code says for which city it is"


async def test_opening_twice_at_once_is_one_account(riding: Riding) -> None:
    citizen = await riding.citizen()
    await asyncio.gather(*(riding.transit.open(citizen, BACK) for _ in range(5)))
    assert await riding.db.fetchval("SELECT count(*) FROM transit_accounts") == 1


async def test_control_without_the_lock_there_are_more(
    riding: Riding, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, found = asyncio.Barrier(2), accounts_store.live

    async def nobody_waits(*_: object) -> None: ...

    async def seen(tx: Transaction, citizen: str) -> accounts_store.Live | None:
        live = await found(tx, citizen)
        await both.wait()  # nobody goes on before the other one has looked, too
        return live

    monkeypatch.setattr(accounts_store, "lock", nobody_waits)
    monkeypatch.setattr(accounts_store, "live", seen)
    citizen = await riding.citizen()
    async with asyncio.timeout(15):
        await asyncio.gather(*(riding.transit.open(citizen, BACK) for _ in range(2)))
    assert await riding.db.fetchval("SELECT count(*) FROM transit_accounts") == 2


async def test_a_picture_opens_a_gate_once_signed_and_for_two_minutes(riding: Riding) -> None:
    made = await riding.transit.picture(await riding.opens())
    now = int(riding.clock.now().timestamp())
    trust = {0: IssuerKey(riding.issuer.key.public_key())}
    assert verify(made.code, Grounds(trust, (), ()), now + 129).cap_fen == 500
    with pytest.raises(Refused, match="expired"):
        verify(made.code, Grounds(trust, (), ()), now + 131)


async def test_each_grant_has_a_reference_of_its_own(riding: Riding) -> None:
    citizen = await riding.opens()
    refs = {read((await riding.transit.picture(citizen)).code).acct_ref for _ in range(3)}
    assert len(refs) == 3
    assert citizen.encode() not in b"".join(refs)


async def test_pictures_have_a_budget_for_the_day(riding: Riding) -> None:
    citizen = await riding.opens()
    for _ in range(MOST_PICTURES):
        await riding.transit.picture(citizen)
    with pytest.raises(PicturesUsedUp):
        await riding.transit.picture(citizen)
    await riding.transit.grant(citizen, KEY)
    riding.clock.set(after(24 * 60))
    await riding.transit.picture(citizen)


async def test_a_companion_comes_three_seconds_later_and_three_at_most(riding: Riding) -> None:
    citizen = await riding.opens()
    await riding.transit.grant(citizen, KEY)
    with pytest.raises(TooSoon):
        await riding.transit.grant(citizen, KEY, companion=True)
    for _ in range(MOST_COMPANIONS):
        riding.clock.move(timedelta(seconds=3))
        granted = await riding.transit.grant(citizen, KEY, companion=True)
        assert granted.signed[21] == Type.COMPANION
    riding.clock.move(timedelta(seconds=3))
    with pytest.raises(TooManyCompanions):
        await riding.transit.grant(citizen, KEY, companion=True)
    riding.clock.move(timedelta(minutes=15))
    await riding.transit.grant(citizen, KEY, companion=True)


async def test_after_twenty_codes_there_is_no_other_today(riding: Riding) -> None:
    citizen = await riding.opens()
    line = Line(riding.db, riding.clock)
    account = (await riding.transit.account(citizen)).id
    for number in range(MOST_CODES):
        device, sent = await line.tap(account, "E1", "board", after(number * 5))
        await line.uploads(device, sent)
    with pytest.raises(CodesUsedUp):
        await riding.transit.grant(citizen, KEY)
    riding.clock.set(after(24 * 60))
    await riding.transit.grant(citizen, KEY)


async def test_who_is_behind_gets_no_code_until_it_is_paid(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    async with riding.db.transaction() as tx:
        await riding.transit.failed(tx, riding.bank.payments[payment], "payer")
    with pytest.raises(InArrears) as refused:
        await riding.transit.grant(citizen, KEY)
    assert refused.value.facts == {"count": 1, "fen": 400}
    (ride,) = await riding.transit.behind(citizen)
    assert (ride.start, ride.finish, ride.fen, ride.line) == ("中南路", "光谷广场", 400, "2号线")
    with pytest.raises(InArrears):
        await riding.transit.close(citizen)
    assert await riding.transit.pay(citizen) == 1
    assert riding.bank.tried == [payment]
    async with riding.db.transaction() as tx:
        await riding.transit.paid(tx, riding.bank.payments[payment])
    await riding.transit.grant(citizen, KEY)


async def test_closing_waits_for_the_last_ride_to_be_paid(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    assert (await riding.transit.close(citizen)).state == "closing"
    with pytest.raises(Closing):
        await riding.transit.grant(citizen, KEY)
    assert await riding.transit.finish_closing() == 0
    async with riding.db.transaction() as tx:
        await riding.transit.paid(tx, riding.bank.payments[payment])
    assert await riding.transit.finish_closing() == 1
    assert await riding.state(citizen) == "none"
    assert riding.bank.contracts[citizen].state == "ending"
    await riding.lets_go(citizen)
    assert await riding.state(citizen) == "none"


async def test_a_trip_without_an_exit_does_not_keep_it_open(riding: Riding) -> None:
    citizen = await riding.opens()
    line = Line(riding.db, riding.clock)
    account = (await riding.transit.account(citizen)).id
    device, sent = await line.tap(account, "zhongnan", "in", after(0))
    await line.uploads(device, sent)
    await riding.transit.settle()
    assert (await riding.transit.account(citizen)).open_trips == 1
    assert (await riding.transit.close(citizen)).state == "closing"
    riding.clock.set(after(20 * 60))
    await riding.transit.close_days()
    await riding.transit.settle()
    assert await riding.transit.finish_closing() == 1


async def test_a_contract_that_is_ended_at_wechat_has_to_be_signed_anew(riding: Riding) -> None:
    citizen = await riding.opens()
    await riding.lets_go(citizen)
    assert await riding.state(citizen) == "consent"
    with pytest.raises(NotOpened):
        await riding.transit.grant(citizen, KEY)
    await riding.transit.open(citizen, BACK)
    await riding.signs(citizen)
    assert await riding.state(citizen) == "active"


async def test_what_was_never_signed_is_dropped(riding: Riding) -> None:
    citizen = await riding.citizen()
    await riding.transit.open(citizen, BACK)
    assert (await riding.transit.close(citizen)).state == "none"


async def test_rides_are_listed_page_by_page(riding: Riding) -> None:
    citizen = await riding.opens()
    line = Line(riding.db, riding.clock)
    account = (await riding.transit.account(citizen)).id
    for number in range(12):
        device, sent = await line.tap(account, "E1", "board", after(number * 5))
        await line.uploads(device, sent)
    await riding.transit.settle()
    first = await riding.transit.rides(citizen)
    assert [each.began for each in first] == [after(number * 5) for number in range(11, 1, -1)]
    second = await riding.transit.rides(citizen, first[-1].id)
    assert [each.began for each in second] == [after(5), after(0)]
    assert (second[0].line, second[0].start, second[0].finish) == ("15路", "", "")


@pytest.mark.parametrize(
    ("start", "end", "fen"),
    [("zhongnan", "guanggu", 400), ("zhongnan", "zhongnan", 200), ("hanyang", "tieji", 400)],
)
def test_a_fare_is_told_without_riding(riding: Riding, start: str, end: str, fen: int) -> None:
    assert riding.transit.quote(start, end).fen == fen
    with pytest.raises(KeyError):
        riding.transit.quote(start, "nowhere")


async def test_who_paid_what_was_behind_had_never_asked_to_close(riding: Riding) -> None:
    citizen = await riding.opens()
    payment = await riding.rides(citizen)
    assert (await riding.transit.close(citizen)).state == "closing"
    await riding.fails(payment)
    assert await riding.state(citizen) == "arrears"
    await riding.pays(payment)
    assert await riding.state(citizen) == "closing"
    riding.clock.move(timedelta(hours=2))
    assert await riding.transit.finish_closing() == 1
    assert await riding.state(citizen) == "none"


async def test_who_was_suspended_while_closing_goes_on_closing(riding: Riding) -> None:
    citizen = await riding.opens()
    await riding.rides(citizen)
    await riding.transit.close(citizen)
    await riding.transit.suspend(citizen, "operator:lin", "card found")
    await riding.transit.restore(citizen, "operator:lin", "hers")
    assert await riding.state(citizen) == "closing"


async def test_an_account_that_cannot_be_closed_held_up_the_others(
    riding: Riding, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = await riding.opens(), await riding.opens()
    for citizen in (one, other):
        await riding.rides(citizen)
        await riding.transit.close(citizen)
    for payment in list(riding.bank.payments):
        await riding.pays(payment)
    let_go = riding.bank.let_go

    async def fails_for_one(tx: Transaction, citizen: str, plan: str, why: str) -> None:
        if citizen == one:
            raise RuntimeError("a contract that is none")
        await let_go(tx, citizen, plan, why)

    monkeypatch.setattr(riding.bank, "let_go", fails_for_one)
    riding.clock.move(timedelta(hours=2))
    with capture_logs() as logs:
        assert await riding.transit.finish_closing() == 1
    assert [await riding.state(citizen) for citizen in (one, other)] == ["closing", "none"]
    assert [(line["event"], line["citizen"]) for line in logs] == [("account_not_closed", one)]


async def test_an_issuer_that_was_away_used_up_the_pictures_of_the_day(
    riding: Riding, monkeypatch: pytest.MonkeyPatch
) -> None:
    citizen = await riding.opens()

    async def away(_content: object) -> bytes:
        raise IssuerGone(why="test")

    with monkeypatch.context() as gone:
        gone.setattr(riding.issuer, "code", away)
        gone.setattr(riding.issuer, "grant", away)
        for _ in range(MOST_PICTURES):
            with pytest.raises(IssuerGone):
                await riding.transit.picture(citizen)
        for _ in range(MOST_GRANTS):
            with pytest.raises(IssuerGone):
                await riding.transit.grant(citizen, KEY)
    assert (await riding.transit.picture(citizen)).left == MOST_PICTURES - 1
    await riding.transit.grant(citizen, KEY)


async def test_before_the_first_tariff_a_price_was_an_error(riding: Riding) -> None:
    """A city whose fares begin the day after tomorrow: there is no line yet, and that is what is said."""
    (tariff,) = TIMETABLE.tariffs
    soon = replace(TIMETABLE, tariffs=(replace(tariff, begins=after(48 * 60).date()),))
    means = Parts(riding.db, riding.bank, riding.issuer, soon, riding.clock, riding.agreed)
    citizen = await riding.opens()
    with pytest.raises(NoLines):
        Transit(means).require_lines()
    with pytest.raises(NoLines):
        await Transit(means).grant(citizen, KEY)
    riding.clock.set(after(48 * 60))
    Transit(means).require_lines()
    await Transit(means).grant(citizen, KEY)
