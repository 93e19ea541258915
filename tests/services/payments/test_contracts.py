"""A contract is asked for, signed, ended by her there or by us; each is told once."""

import pytest

from services.payments.bank import NotBelieved
from services.payments.errors import AlreadySigned, NotReached, PayAway
from tests.services.payments.till import PLAN, Till


async def state(till: Till, citizen: str) -> str:
    contract = await till.payments.contract(citizen, PLAN)
    return str(contract.state) if contract else "none"


async def test_she_opens_signs_and_closes(till: Till) -> None:
    citizen = await till.citizen()
    assert await state(till, citizen) == "none"
    code = await till.asked(citizen)
    assert await state(till, citizen) == "asked"
    await till.payments.heard(till.says_signed(code))
    assert await state(till, citizen) == "signed"
    await till.payments.end_contract(citizen, PLAN, "closed by her")
    assert await state(till, citizen) == "ended"
    assert till.bank.contracts == {code: False}
    assert till.owner.words() == ["signed", "ended"]


async def test_told_twice_is_told_once_and_the_order_does_not_matter(till: Till) -> None:
    citizen = await till.citizen()
    code = await till.asked(citizen)
    for _ in range(2):
        await till.payments.heard(till.says_signed(code))
    over = till.says_signed(code, signed=False, notice="n-over")
    for _ in range(2):
        await till.payments.heard(over)
    assert till.owner.words() == ["signed", "ended"]


async def test_signed_told_after_ended_is_looked_at_and_stays_ended(till: Till) -> None:
    citizen = await till.citizen()
    code = await till.asked(citizen)
    signed = till.says_signed(code)
    await till.payments.heard(till.says_signed(code, signed=False, notice="n-over"))
    await till.payments.heard(signed)
    till.bank.contracts[code] = False
    assert await state(till, citizen) == "ending"
    till.later(minutes=25)
    await till.payments.ask_open()
    assert await state(till, citizen) == "ended"
    assert till.owner.words() == []


async def test_nobody_told_us_and_the_query_finds_it(till: Till) -> None:
    citizen = await till.citizen()
    code = await till.asked(citizen)
    till.bank.contracts[code] = True
    till.later(seconds=31)
    await till.payments.ask_open()
    assert await state(till, citizen) == "signed"
    assert till.owner.words() == ["signed"]


async def test_who_never_signs_lapses_but_not_while_the_bank_is_away(till: Till) -> None:
    citizen = await till.citizen()
    await till.asked(citizen)
    till.later(minutes=30)
    till.bank.away = True
    await till.payments.ask_open()
    assert await state(till, citizen) == "asked"
    till.bank.away = False
    till.later(hours=1)
    await till.payments.ask_open()
    assert await state(till, citizen) == "ended"
    assert till.owner.words() == []
    assert await till.asked(citizen), "she may ask again, under a new code"


async def test_asked_for_twice_it_is_one_contract(till: Till) -> None:
    citizen = await till.citizen()
    assert await till.asked(citizen) == await till.asked(citizen)
    assert await till.db.fetchval("SELECT count(*) FROM pay_contracts") == 1


async def test_signed_ones_are_not_asked_for_again(till: Till) -> None:
    citizen = await till.signed()
    with pytest.raises(AlreadySigned):
        await till.asked(citizen)


async def test_signed_but_not_told_is_found_when_she_asks_again(till: Till) -> None:
    citizen = await till.citizen()
    till.bank.contracts[await till.asked(citizen)] = True
    with pytest.raises(AlreadySigned):
        await till.asked(citizen)
    assert await state(till, citizen) == "signed"


async def test_nothing_is_promised_while_the_bank_is_away_or_she_cannot_be_reached(till: Till) -> None:
    citizen = await till.citizen()
    till.bank.away = True
    with pytest.raises(PayAway):
        await till.asked(citizen)
    await till.citizens.leave(f"city:{till.number:032x}")
    till.bank.away = False
    with pytest.raises(NotReached):
        await till.asked(citizen)


async def test_what_cannot_be_ended_now_is_ended_later(till: Till) -> None:
    citizen = await till.signed()
    till.bank.away = True
    await till.payments.end_contract(citizen, PLAN, "closed by her")
    assert await state(till, citizen) == "ending"
    till.bank.away = False
    till.later(hours=2)
    await till.payments.ask_open()
    assert await state(till, citizen) == "ended"
    assert till.owner.words() == ["signed", "ended"]


async def test_let_go_of_while_the_page_is_open_and_signed_after_all(till: Till) -> None:
    citizen = await till.citizen()
    code = await till.asked(citizen)
    await till.payments.end_contract(citizen, PLAN, "she thought better of it")
    assert await state(till, citizen) == "ending"
    till.bank.contracts[code] = True
    till.later(minutes=3)
    await till.payments.ask_open()
    assert (await state(till, citizen), till.bank.contracts[code]) == ("ended", False)
    assert till.owner.words() == []


async def test_a_contract_of_nobody_or_of_another_plan_is_kept_for_a_person(till: Till) -> None:
    code = await till.asked(await till.citizen())
    strange = till.says_signed("x" * 32, notice="n-x")
    for notice in (strange, strange):
        with pytest.raises(NotBelieved):
            await till.payments.heard(notice)
    signed = till.says_signed(code, notice="n-y")
    with pytest.raises(NotBelieved):
        await till.payments.heard(type(signed)("n-y", 1, code, "C1", signed=True))
    assert await till.db.fetchval("SELECT count(*) FROM pay_strays") == 2
    assert till.owner.words() == []


async def test_an_owner_that_stumbles_takes_the_step_back(till: Till) -> None:
    citizen = await till.citizen()
    code = await till.asked(citizen)
    till.owner.fails = True
    with pytest.raises(ValueError, match="stumbles"):
        await till.payments.heard(till.says_signed(code))
    assert await state(till, citizen) == "asked"
    till.owner.fails = False
    await till.payments.heard(till.says_signed(code))
    assert await state(till, citizen) == "signed"
