"""The four proofs, and every way a request ends without one."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.effects import AlreadyDone, Effect
from services.citizens.errors import (
    AlreadyBound,
    NoSuchBinding,
    NoSuchWay,
    NotInRoster,
    RequestOver,
    SelfNotProven,
    WrongCode,
)
from services.citizens.institutions import InstitutionGone
from tests.services.citizens.kin import Kin, Person, once

CHILD = "20200601"  # six years old


async def family(kin: Kin) -> tuple[Person, Person, str]:
    """A son who has asked to act for his mother, whose phone follows us."""
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    return son, mother, await kin.asks(son, mother)


async def test_b_the_code_of_the_institution(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked = await kin.asks(son, mother)
    await kin.proving.send_code(asked, son.citizen, "first", once())
    ((number, code),) = kin.clinic.texts
    assert number == mother.number
    with pytest.raises(WrongCode) as wrong:
        await kin.proving.check_code(asked, son.citizen, "000000", once())
    assert wrong.value.left == 4
    assert await kin.proving.check_code(asked, son.citizen, code, once()) == asked
    assert await kin.titles(son) == ["本人", "妈妈"]
    row = await kin.db.fetchrow("SELECT proof, proven_by, who FROM bindings WHERE id = $1", int(asked))
    assert row is not None
    assert tuple(row) == ("institution_code", "first", son.citizen)
    assert await kin.db.fetchval("SELECT count(*) FROM patient_references WHERE institution = 'first'") == 1


async def test_a_repeated_run_asks_once_and_says_the_same(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked, send, check = await kin.asks(son, mother), once(), once()
    for _ in range(3):
        await kin.proving.send_code(asked, son.citizen, "first", send)
        assert len(kin.clinic.texts) == 1
    for _ in range(3):
        assert await kin.proving.check_code(asked, son.citizen, kin.clinic.texts[0][1], check) == asked
    assert kin.clinic.asked == 2
    with pytest.raises(AlreadyDone):
        await kin.proving.check_code(asked, son.citizen, "123456", Effect(check.run, check.key, b"e" * 32))


class KilledError(Exception):
    """The process is no more."""


@pytest.mark.parametrize("confirms_again", [True, False], ids=["as agreed", "control"])
@pytest.mark.parametrize("is_same_run", [True, False], ids=["the run again", "typed again"])
async def test_a_process_that_dies_behind_the_institutions_yes_loses_no_code(
    kin: Kin, confirms_again: bool, is_same_run: bool
) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked, check = await kin.asks(son, mother), once()
    await kin.proving.send_code(asked, son.citizen, "first", once())
    ((_, code),) = kin.clinic.texts

    async def dies() -> None:
        raise KilledError

    kin.clinic.afterwards, kin.clinic.confirms_again = dies, confirms_again
    with pytest.raises(KilledError):
        await kin.proving.check_code(asked, son.citizen, code, check)
    assert await kin.titles(son) == ["本人"], "nothing is written down yet"
    kin.clinic.afterwards = None
    again = kin.proving.check_code(asked, son.citizen, code, check if is_same_run else once())
    if confirms_again:
        assert await again == asked
        assert await kin.titles(son) == ["本人", "妈妈"]
        counted = "SELECT count(*) FROM binding_attempts WHERE kind = 'check'"
        assert await kin.db.fetchval(counted) == (1 if is_same_run else 2)
    else:
        with pytest.raises(WrongCode):
            await again


async def test_a_run_that_died_after_the_institution_was_asked_sends_no_second_text(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked, send = await kin.asks(son, mother), once()
    await kin.proving.send_code(asked, son.citizen, "first", send)
    await kin.db.execute("DELETE FROM effects WHERE run = $1", send.run)  # it died before this was committed
    await kin.proving.send_code(asked, son.citizen, "first", send)
    assert (kin.clinic.asked, len(kin.clinic.texts)) == (2, 1)
    await kin.proving.send_code(asked, son.citizen, "first", once())
    assert len(kin.clinic.texts) == 2, "control: who asks for another one gets it"
    assert await kin.proving.check_code(asked, son.citizen, kin.clinic.texts[-1][1], once()) == asked


async def test_a_code_of_another_request_is_wrong(kin: Kin) -> None:
    son, mother, father = (
        await kin.person("王小明"),
        await kin.stranger("李桂芳"),
        await kin.stranger("王建国"),
    )
    await kin.by_code(son, await kin.asks(son, mother))
    other = await kin.asks(son, father, "father")
    for _ in range(2):  # nobody was asked to send one; then somebody was
        with pytest.raises(WrongCode):
            await kin.proving.check_code(other, son.citizen, kin.clinic.texts[0][1], once())
        await kin.proving.send_code(other, son.citizen, "first", once())


async def test_a_silent_institution_leaves_the_request_open(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked, kin.clinic.is_gone = await kin.asks(son, mother), True
    with pytest.raises(InstitutionGone) as gone:
        await kin.proving.send_code(asked, son.citizen, "first", once())
    assert gone.value.facts == {"institution": "第一医院"}
    kin.clinic.is_gone = False
    assert await kin.by_code(son, asked) == asked


async def test_a_request_that_is_over_when_the_institution_answers_stays_over(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked = await kin.asks(son, mother)
    await kin.proving.send_code(asked, son.citizen, "first", once())

    async def later() -> None:
        kin.passes(timedelta(hours=24))

    kin.clinic.meanwhile = later
    with pytest.raises(RequestOver):
        await kin.proving.check_code(asked, son.citizen, kin.clinic.texts[0][1], once())
    assert await kin.titles(son) == ["本人"]


async def test_a_her_own_yes(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    await kin.proving.approve(asked, mother.citizen, once())
    row = await kin.db.fetchrow("SELECT proof, proven_by, who FROM bindings WHERE id = $1", int(asked))
    assert row is not None
    assert tuple(row) == ("person", mother.citizen, mother.citizen)
    assert await kin.titles(son) == ["本人", "妈妈"]


async def test_a_her_own_no(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    await kin.proving.refuse(asked, mother.citizen, once())
    assert (await kin.state(asked), await kin.titles(son)) == ("rejected", ["本人"])
    with pytest.raises(RequestOver) as over:
        await kin.proving.approve(asked, mother.citizen, once())
    assert over.value.state == "rejected"


async def test_a_nobody_else_says_yes(kin: Kin) -> None:
    son, _, asked = await family(kin)
    unproven, other = await kin.person("李桂芳"), await kin.person("赵六", proven=True)
    for somebody in (son, unproven, other):
        with pytest.raises(NoSuchBinding):
            await kin.proving.approve(asked, somebody.citizen, once())
        with pytest.raises(NoSuchBinding):
            await kin.proving.refuse(asked, somebody.citizen, once())
    assert await kin.state(asked) == "requested"


async def test_a_who_has_entered_her_number_and_proven_nothing_says_no_yes(kin: Kin) -> None:
    """B4a: what an account entered of itself proves nothing."""
    son, mother = await kin.person("王小明"), await kin.person("李桂芳")
    await kin.asks(mother, mother, "self")
    asked = await kin.asks(son, mother)
    with pytest.raises(NoSuchBinding):
        await kin.proving.approve(asked, mother.citizen, once())
    await kin.proving.ask_person(asked, son.citizen, once())
    assert await kin.told(mother) == []


async def test_a_request_under_another_name_is_not_hers(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    right = mother.name
    mother.name = "李桂花"
    asked = await kin.asks(son, mother)
    mother.name = right
    await kin.proving.ask_person(asked, son.citizen, once())
    assert "binding_consent" not in await kin.told(mother)
    assert await kin.families.asked_of(mother.citizen) == []
    with pytest.raises(NoSuchBinding):
        await kin.proving.approve(asked, mother.citizen, once())


async def test_a_nobody_proves_to_be_themselves_by_saying_yes(kin: Kin) -> None:
    """B4a: joining a self needs proof (b) or (c)."""
    mother, other = await kin.person("李桂芳", proven=True), await kin.person("小偷")
    other.name, other.number = mother.name, mother.number
    asked = await kin.asks(other, other, "self")
    assert [way.kind for way in await kin.proving.ways(asked, other.citizen)] == ["code", "counter"]
    with pytest.raises(NoSuchWay):
        await kin.proving.ask_person(asked, other.citizen, once())
    with pytest.raises(NoSuchBinding):
        await kin.proving.approve(asked, mother.citizen, once())
    assert await kin.families.asked_of(mother.citizen) == []


async def test_c_the_counter(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked = await kin.asks(son, mother)
    await kin.proving.approve_at_counter(asked, "window-3", once())
    assert await kin.titles(son) == ["本人", "妈妈"]
    row = await kin.db.fetchrow("SELECT proof, proven_by, who FROM bindings WHERE id = $1", int(asked))
    assert row is not None
    assert tuple(row) == ("counter", "window-3", "staff:window-3")
    with pytest.raises(RequestOver):
        await kin.proving.approve_at_counter(asked, "window-3", once())


async def test_c_the_counter_proves_a_self_and_it_may_then_say_yes(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳")
    await kin.proving.approve_at_counter(await kin.asks(mother, mother, "self"), "window-3", once())
    asked = await kin.asks(son, mother)
    await kin.proving.approve(asked, mother.citizen, once())
    assert await kin.titles(son) == ["本人", "妈妈"]


async def test_d_the_roster_of_guardians(kin: Kin) -> None:
    mother, child = await kin.person("李桂芳"), await kin.stranger("王豆豆", born=CHILD)
    asked = await kin.asks(mother, child, "son")
    ways = await kin.proving.ways(asked, mother.citizen)
    assert [way.kind for way in ways] == ["code", "roster", "counter"], "a child agrees to nothing (B9)"
    with pytest.raises(SelfNotProven):
        await kin.proving.check_roster(asked, mother.citizen, "first", once())
    await kin.proves_self(mother)
    with pytest.raises(NotInRoster):
        await kin.proving.check_roster(asked, mother.citizen, "first", once())
    kin.clinic.guardians.add((mother.number, child.number))
    assert await kin.proving.check_roster(asked, mother.citizen, "first", once()) == asked
    assert await kin.titles(mother) == ["本人", "儿子"]
    assert await kin.db.fetchval("SELECT proof FROM bindings WHERE id = $1", int(asked)) == "guardian_roster"


async def test_d_the_roster_is_for_children_and_where_there_is_one(kin: Kin) -> None:
    son, mother = await kin.person("王小明", proven=True), await kin.stranger("李桂芳")
    asked = await kin.asks(son, mother)
    with pytest.raises(NoSuchWay):
        await kin.proving.check_roster(asked, son.citizen, "first", once())
    kin.clinic.knows_guardians = False
    child = await kin.asks(son, await kin.stranger("王豆豆", born=CHILD), "son")
    assert [way.kind for way in await kin.proving.ways(child, son.citizen)] == ["code", "counter"]
    for institution in ("first", "nowhere"):
        with pytest.raises(NoSuchWay):
            await kin.proving.check_roster(child, son.citizen, institution, once())


async def test_d_a_child_with_a_phone_agrees_to_nothing(kin: Kin) -> None:
    child = await kin.person("王豆豆", born=CHILD, proven=True)
    stranger = await kin.person("陌生人")
    asked = await kin.asks(stranger, child, "son")
    assert await kin.families.asked_of(child.citizen) == []
    with pytest.raises(NoSuchBinding):
        await kin.proving.approve(asked, child.citizen, once())
    with pytest.raises(NoSuchWay):
        await kin.proving.ask_person(asked, stranger.citizen, once())


async def test_who_turns_fourteen_agrees_for_themselves(kin: Kin) -> None:
    youth = await kin.person("王豆豆", born="20121124", proven=True)  # tomorrow
    asked = await kin.asks(await kin.person("李桂芳"), youth, "son")
    assert await kin.families.asked_of(youth.citizen) == []
    kin.passes(timedelta(hours=20))
    assert [each.binding for each in await kin.families.asked_of(youth.citizen)] == [asked]


async def test_what_is_withdrawn_is_over(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    with pytest.raises(NoSuchBinding):
        await kin.proving.withdraw(asked, mother.citizen, once())
    await kin.proving.withdraw(asked, son.citizen, once())
    assert await kin.state(asked) == "withdrawn"
    assert await kin.told(son) == []
    for late in (kin.proving.approve(asked, mother.citizen, once()), kin.proving.ways(asked, son.citizen)):
        with pytest.raises(RequestOver):
            await late


async def test_nobody_answers_in_a_day(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    kin.passes(timedelta(hours=24) - timedelta(seconds=1))
    assert await kin.proving.expire() == 0
    kin.passes(timedelta(seconds=1))
    with pytest.raises(RequestOver):  # swept or not
        await kin.proving.approve(asked, mother.citizen, once())
    with pytest.raises(RequestOver):
        await kin.proving.ways(asked, son.citizen)
    assert (await kin.proving.expire(), await kin.proving.expire()) == (1, 0)
    assert (await kin.state(asked), await kin.told(son)) == ("expired", ["binding_expired"])


async def test_one_request_that_cannot_be_read_is_over_like_the_others(kin: Kin) -> None:
    son = await kin.person("王小明")
    broken, fine = [await kin.asks(son, await kin.stranger(name)) for name in ("李一", "李二")]
    await spoil(kin, broken)
    assert [each.name for each in await kin.families.open_requests(son.citizen)] == ["", "李*"]
    kin.passes(timedelta(hours=24))
    with capture_logs() as lines:
        assert await kin.proving.expire() == 2
    assert (await kin.state(broken), await kin.state(fine)) == ("expired", "expired")
    assert [(line["event"], line["binding"]) for line in lines] == [("request_unreadable", int(broken))]


async def test_one_request_that_cannot_be_read_hides_no_other(kin: Kin) -> None:
    _, mother, asked = await family(kin)
    await spoil(kin, await kin.asks(await kin.person("王二"), mother))
    assert [each.binding for each in await kin.families.asked_of(mother.citizen)] == [asked]


async def spoil(kin: Kin, binding: str) -> None:
    """Let what was entered be readable no more."""
    async with kin.db.transaction() as tx:
        await tx.execute("ALTER TABLE bindings DISABLE TRIGGER USER")
        await tx.execute("UPDATE bindings SET sealed = repeat('x', 60)::bytea WHERE id = $1", int(binding))
        await tx.execute("ALTER TABLE bindings ENABLE TRIGGER USER")


async def test_of_somebody_elses_request_nothing_is_said(kin: Kin) -> None:
    _, _, asked = await family(kin)
    other = await kin.person("赵六")
    for binding in (asked, "1", "999", "x"):  # 1 is a self, which nobody asked for
        for wrong in (
            kin.proving.ways(binding, other.citizen),
            kin.proving.send_code(binding, other.citizen, "first", once()),
            kin.proving.check_code(binding, other.citizen, "123456", once()),
            kin.proving.check_roster(binding, other.citizen, "first", once()),
            kin.proving.ask_person(binding, other.citizen, once()),
            kin.proving.withdraw(binding, other.citizen, once()),
            kin.proving.keep(binding, other.citizen, b"kept", "挂号"),
            kin.proving.drop(binding, other.citizen, once()),
        ):
            with pytest.raises(NoSuchBinding):
                await wrong
    assert kin.clinic.asked == 2, "of her own"


async def test_who_asks_to_be_themselves_asks_no_more_to_be_their_own_brother(kin: Kin) -> None:
    son = await kin.person("王小明")
    asked = await kin.asks(son, son, "brother")
    await kin.proves_self(son)
    assert (await kin.state(asked), await kin.titles(son)) == ("withdrawn", ["本人"])
    with pytest.raises(AlreadyBound):
        await kin.asks(son, son, "brother")
