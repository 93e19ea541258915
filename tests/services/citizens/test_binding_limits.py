"""How many persons, accounts, requests and codes there may be (B1, B2, and limits of ours)."""

from contextlib import suppress
from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.errors import (
    TooManyAccounts,
    TooManyAttempts,
    TooManyPersons,
    TooManyRequests,
    WrongCode,
)
from services.citizens.model import Limits
from tests.services.citizens.kin import Kin, Person, once
from tests.support.purging import purged

DAY = timedelta(days=1)


async def test_b1_five_persons_with_oneself(kin: Kin) -> None:
    son = await kin.person("王小明")
    for name in ("李一", "李二", "李三", "李四"):
        await kin.bound(son, await kin.stranger(name), "other")
    with pytest.raises(TooManyPersons) as many:
        await kin.asks(son, await kin.stranger("李五"), "other")
    assert many.value.facts == {"most": 5}
    (first, *_) = [each for each in await kin.families.people(son.citizen) if each.title == "亲友"]
    await kin.families.revoke(first.binding, son.citizen, once())
    await kin.bound(son, await kin.stranger("李五"), "other")


async def test_b1_open_requests_count_and_a_proof_of_oneself_does_not(kin: Kin) -> None:
    son = await kin.person("王小明")
    asked = [await kin.asks(son, await kin.stranger(name)) for name in ("李一", "李二", "李三", "李四")]
    with pytest.raises(TooManyPersons):
        await kin.asks(son, await kin.stranger("李五"))
    await kin.proves_self(son)
    await kin.proving.withdraw(asked[0], son.citizen, once())
    await kin.asks(son, await kin.stranger("李五"))
    kin.passes(DAY)
    await kin.asks(son, await kin.stranger("李六"))


async def test_b1_who_one_was_before_does_not_count(kin: Kin) -> None:
    mother = await kin.person("李桂芳")
    await kin.bound(await kin.person("王小明"), mother)
    await kin.proves_self(mother)  # moves to the registered one
    for name in ("李一", "李二", "李三", "李四"):
        await kin.bound(mother, await kin.stranger(name), "other")


async def test_b1_more_rights_to_the_fifth_are_no_sixth(kin: Kin) -> None:
    son = await kin.person("王小明")
    for name in ("李一", "李二", "李三"):
        await kin.bound(son, await kin.stranger(name), "other")
    mother = await kin.stranger("李桂芳")
    await kin.bound(son, mother, "mother", "book")
    await kin.bound(son, mother, "mother", "report")
    assert len(await kin.families.people(son.citizen)) == 5


async def test_b2_four_accounts_and_it_is_said_only_to_who_has_a_proof(kin: Kin) -> None:
    mother = await kin.person("李桂芳", proven=True)
    for name in ("王一", "王二", "王三"):
        await kin.bound(await kin.person(name), mother)
    fifth = await kin.person("王四")
    asked = await kin.asks(fifth, mother)  # whoever asks learns nothing of her
    with pytest.raises(TooManyAccounts) as many:
        await kin.proving.approve(asked, mother.citizen, once())
    assert many.value.facts == {"most": 4}
    with pytest.raises(TooManyAccounts):
        await kin.by_code(fifth, asked)
    with pytest.raises(TooManyAccounts):
        await kin.proving.approve_at_counter(asked, "window-3", once())
    assert await kin.state(asked) == "requested"
    (first, *_) = await kin.families.holders(mother.citizen)
    await kin.families.revoke(first.binding, mother.citizen, once())
    await kin.proving.approve(asked, mother.citizen, once())


async def test_b2_the_fifth_account_cannot_be_themselves_either(kin: Kin) -> None:
    mother = await kin.person("李桂芳")
    for name in ("王一", "王二", "王三", "王四"):
        await kin.bound(await kin.person(name), mother)
    with pytest.raises(TooManyAccounts):
        await kin.proves_self(mother)


async def requests(kin: Kin, who: Person, whom: Person, times: int) -> None:
    for _ in range(times):
        await kin.proving.withdraw(await kin.asks(who, whom), who.citizen, once())


async def test_ten_requests_a_day_from_one_account(kin: Kin) -> None:
    son = await kin.person("王小明")
    for name in "甲乙":
        await requests(kin, son, await kin.stranger(f"李{name}"), 5)
    with pytest.raises(TooManyRequests) as many:
        await kin.asks(son, await kin.stranger("李丙"))
    assert many.value.facts == {"at": kin.clock.now() + DAY}
    kin.passes(DAY)
    await kin.asks(son, await kin.stranger("李丙"))


async def both(kin: Kin) -> list[Person]:
    """Somebody whom we know, and somebody whom nobody knows."""
    known = await kin.person("李桂芳", proven=True)
    nobody = await kin.stranger("陈无名")
    kin.clinic.patients.pop(nobody.number)
    kin.passes(DAY)
    return [known, nobody]


async def test_six_requests_a_day_from_one_account_for_one_number_known_or_not(kin: Kin) -> None:
    for whom in await both(kin):
        son = await kin.person("王小明")
        await requests(kin, son, whom, 6)
        with pytest.raises(TooManyRequests) as many:
            await kin.asks(son, whom)
        assert set(many.value.facts) == {"at"}
        await kin.asks(await kin.person("王小红"), whom)


async def strangers_use_up(kin: Kin, whom: Person) -> None:
    """Everything that may be tried for a number in a day, by accounts that nobody knows."""
    for _ in range(kin.limits.sends_to_target):
        stranger = await kin.person("生人")
        asked = await kin.asks(stranger, whom)
        await kin.proving.ask_person(asked, stranger.citizen, once())
        with suppress(TooManyAttempts):
            await kin.proving.send_code(asked, stranger.citizen, "first", once())
        for _ in range(3):
            await guesses(kin, stranger, asked)
        await kin.proving.withdraw(asked, stranger.citizen, once())


async def test_strangers_cannot_lock_the_counter(kin: Kin) -> None:
    mother, son = await kin.stranger("李桂芳"), await kin.person("王小明")
    await strangers_use_up(kin, mother)
    asked = await kin.asks(son, mother)
    with pytest.raises(TooManyAttempts):  # control: their phone is left in peace
        await kin.proving.send_code(asked, son.citizen, "first", once())
    await kin.proving.approve_at_counter(asked, "s_li", once())
    assert await kin.titles(son) == ["本人", "妈妈"]


async def test_nor_what_is_the_persons_own_nor_who_holds_them(kin: Kin) -> None:
    mother, son = await kin.person("李桂芳", proven=True), await kin.person("王小明")
    await kin.bound(son, mother)
    await strangers_use_up(kin, mother)
    assert await kin.by_code(mother, await kin.asks(mother, mother, "self", "report"))
    assert await kin.by_code(son, await kin.asks(son, mother, "mother", "report"))


async def test_somebody_is_asked_six_times_a_day_and_can_answer_the_seventh_all_the_same(kin: Kin) -> None:
    mother, son = await kin.person("李桂芳", proven=True), await kin.person("王小明")
    await strangers_use_up(kin, mother)
    assert (await kin.told(mother)).count("binding_consent") == kin.limits.asks_to_target
    asked = await kin.asks(son, mother)
    assert await kin.proving.ask_person(asked, son.citizen, once()) == asked, "who asks hears no difference"
    assert (await kin.told(mother)).count("binding_consent") == kin.limits.asks_to_target
    assert [each.binding for each in await kin.families.asked_of(mother.citizen)] == [asked]
    await kin.proving.approve(asked, mother.citizen, once())
    assert await kin.titles(son) == ["本人", "妈妈"]


async def test_four_codes_a_day_from_one_account_to_one_number_in_however_many_requests(kin: Kin) -> None:
    for whom in await both(kin):
        son = await kin.person("王小明")
        for _ in range(4):
            asked = await kin.asks(son, whom)
            await kin.proving.send_code(asked, son.citizen, "first", once())
            await kin.proving.withdraw(asked, son.citizen, once())
        asked = await kin.asks(son, whom)
        with pytest.raises(TooManyAttempts) as many:
            await kin.proving.send_code(asked, son.citizen, "first", once())
        assert set(many.value.facts) == {"at"}


async def test_three_codes_a_request_known_or_not(kin: Kin) -> None:
    for whom in await both(kin):
        son = await kin.person("王小明")
        asked = await kin.asks(son, whom)
        for _ in range(3):
            await kin.proving.send_code(asked, son.citizen, "first", once())
        with pytest.raises(TooManyAttempts) as many:
            await kin.proving.send_code(asked, son.citizen, "first", once())
        assert many.value.facts == {"at": None}


async def test_five_wrong_codes_a_request_known_or_not_and_then_not_even_the_right_one(kin: Kin) -> None:
    for whom in await both(kin):
        son = await kin.person("王小明")
        asked = await kin.asks(son, whom)
        await kin.proving.send_code(asked, son.citizen, "first", once())
        left = []
        for number in range(5):
            with pytest.raises(WrongCode) as wrong:
                await kin.proving.check_code(asked, son.citizen, f"00000{number}", once())
            left.append(wrong.value.left)
        assert left == [4, 3, 2, 1, 0]
        before = kin.clinic.asked
        with pytest.raises(TooManyAttempts) as many:
            await kin.proving.check_code(asked, son.citizen, kin.clinic.texts[-1][1], once())
        assert many.value.facts == {"at": None}
        assert kin.clinic.asked == before, "the institution is not asked any more"


async def guesses(kin: Kin, who: Person, asked: str) -> type[Exception] | None:
    """What comes of one wrong code."""
    try:
        await kin.proving.check_code(asked, who.citizen, "1", once())
    except (WrongCode, TooManyAttempts) as wrong:
        return type(wrong)
    return None


@pytest.mark.parametrize("whose", ["citizen", "target", "pair"])
async def test_a_day_s_codes_of_one_account_and_for_one_number(
    db: Database, seal: Seal, clock: ManualClock, whose: str
) -> None:
    limits = Limits(checks_of_citizen=4, checks_to_target=99)
    if whose == "target":
        limits = Limits(checks_of_citizen=99, checks_to_target=4)
    if whose == "pair":
        limits = Limits(checks_of_citizen=99, checks_of_pair=4)
    kin = Kin(db, seal, clock, limits)
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    outcomes = []
    for _ in range(6):
        who = await kin.person("王小明") if whose == "target" else son
        whom = await kin.stranger("李桂芳") if whose == "citizen" else mother
        asked = await kin.asks(who, whom)
        outcomes.append(await guesses(kin, who, asked))
        await kin.proving.withdraw(asked, who.citizen, once())
    assert outcomes == [WrongCode] * 4 + [TooManyAttempts] * 2
    kin.passes(DAY)
    asked = await kin.asks(son, mother)
    assert await guesses(kin, son, asked) is WrongCode


async def test_a_repeated_run_is_one_attempt(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked, same = await kin.asks(son, mother), once()
    left = []
    for effect in (same, same, same, once()):
        with pytest.raises(WrongCode) as wrong:
            await kin.proving.check_code(asked, son.citizen, "000000", effect)
        left.append(wrong.value.left)
    assert left == [4, 4, 4, 3]


async def test_attempts_are_forgotten_when_they_count_no_more(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    await kin.asks(son, mother)
    count = "SELECT count(*) FROM binding_attempts"
    assert await purged(kin.db, "binding_attempts", kin.clock) == 0
    kin.passes(DAY + timedelta(seconds=1))
    assert await purged(kin.db, "binding_attempts", kin.clock) == 0, "its request is open"
    await kin.proving.expire()
    assert await purged(kin.db, "binding_attempts", kin.clock) == 1
    assert await kin.db.fetchval(count) == 0
