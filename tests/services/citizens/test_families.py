"""Who may act for whom: asked for, proven, looked up, taken back."""

from datetime import timedelta

import pytest

from services.citizens.errors import (
    AlreadyBound,
    AlreadyProven,
    NoSuchBinding,
    NotBound,
    RequestOver,
    SelfStays,
)
from tests.services.citizens.kin import Kin, once


async def test_a_citizen_acts_for_themselves_from_the_first_contact_on(kin: Kin) -> None:
    son = await kin.person("王小明")
    (me,) = await kin.families.people(son.citizen)
    assert (me.title, me.name, me.id) == ("本人", "", await kin.citizens.self_person(son.citizen))
    assert me.scopes == ("book", "pay", "queue")
    assert await kin.families.meant(son.citizen, "我") == [me]
    assert await kin.families.meant(son.citizen, "妈妈") == []


async def test_mother_agrees_and_is_one_of_the_family(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    asked = await kin.asks(son, mother)
    assert await kin.titles(son) == ["本人"], "nobody acts for her before she agreed"
    await kin.proving.approve(asked, mother.citizen, once())
    me, mum = await kin.families.people(son.citizen)
    assert (mum.title, mum.name, mum.binding, mum.relation) == ("妈妈", "李*芳", asked, "mother")
    assert mum.id == await kin.citizens.self_person(mother.citizen), "one person, held by two"
    assert "李桂芳" in mum.aliases
    assert "老妈" in mum.aliases
    assert me.title == "本人"


@pytest.mark.parametrize("word", ["妈", "我妈", "老娘", "李桂芳", "李 桂芳", "家人"])
async def test_people_name_her_as_they_do(kin: Kin, word: str) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    await kin.bound(son, mother)
    assert [each.title for each in await kin.families.meant(son.citizen, word)] == ["妈妈"]


async def test_a_word_that_fits_two_brings_both_and_a_name_one(kin: Kin) -> None:
    mother = await kin.person("李桂芳")
    for name, relation in (("王大", "son"), ("王小", "son"), ("王芬", "daughter")):
        await kin.bound(mother, await kin.stranger(name, born="19900101"), relation)
    assert len(await kin.families.meant(mother.citizen, "孩子")) == 3
    assert len(await kin.families.meant(mother.citizen, "儿子")) == 2
    (one,) = await kin.families.meant(mother.citizen, "王小")
    assert one.relation == "son"


async def test_only_the_scopes_that_were_agreed_count(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    await kin.bound(son, mother, "mother", "book", "report")
    assert await kin.titles(son, "report") == ["妈妈"]
    assert await kin.titles(son, "pay") == ["本人"]
    (mum,) = await kin.families.people(son.citizen, "report")
    async with kin.db.transaction() as tx:
        assert await kin.families.active(tx, son.citizen, mum.id, "report") == mum.binding
        assert await kin.families.active(tx, son.citizen, mum.id, "record") is None
        assert await kin.families.active(tx, (await kin.person("别人")).citizen, mum.id, "report") is None


async def test_more_is_asked_for_later_and_takes_the_place_of_what_was_there(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    first = await kin.bound(son, mother, "mother", "book")
    with pytest.raises(AlreadyBound) as held:
        await kin.asks(son, mother, "mother", "book")
    assert held.value.facts == {"title": "妈妈"}
    second = await kin.bound(son, mother, "mother", "report")
    assert await kin.state(first) == "expired"
    (mum,) = await kin.families.people(son.citizen, "report")
    assert (mum.binding, mum.scopes) == (second, ("book", "report"))


async def test_the_same_wish_again_is_the_same_request_and_a_corrected_one_takes_its_place(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    first = await kin.asks(son, mother)
    assert await kin.asks(son, mother) == first
    mother.name = "李桂芬"
    second = await kin.asks(son, mother)
    assert second != first
    assert await kin.state(first) == "withdrawn"
    (only,) = await kin.families.open_requests(son.citizen)
    assert (only.binding, only.title, only.name, only.kept) == (second, "妈妈", "李*芬", "")
    assert only.expires_at == kin.clock.now() + timedelta(hours=24)


async def test_what_was_asked_yesterday_is_asked_anew(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    first = await kin.asks(son, mother)
    kin.passes(timedelta(hours=24))
    assert await kin.families.open_requests(son.citizen) == []
    second = await kin.asks(son, mother)
    assert (await kin.state(first), await kin.state(second)) == ("expired", "requested")


async def test_the_same_effect_is_one_request(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    wish, effect = kin.families.wish("mother", mother.name, mother.number, "小王"), once()
    assert {await kin.families.request(wish, son.citizen, effect) for _ in range(3)} == {"2"}


async def test_who_is_asked_sees_who_asks_for_what(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    asked = await kin.asks(son, mother, "mother", "book", "report", calls="儿子小明")
    (waits,) = await kin.families.asked_of(mother.citizen)
    assert (waits.binding, waits.asker, waits.title) == (asked, "儿子小明", "妈妈")
    assert waits.scopes == ("book", "report")
    assert await kin.families.asked_of(son.citizen) == []
    kin.passes(timedelta(hours=24))
    assert await kin.families.asked_of(mother.citizen) == []


async def test_she_sees_who_holds_her_and_takes_it_back_at_once(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    (holder,) = await kin.families.holders(mother.citizen)
    assert (holder.binding, holder.asker, holder.title) == (held, "小王", "妈妈")
    assert holder.since == kin.clock.now()
    await kin.families.revoke(held, mother.citizen, once())
    assert (await kin.titles(son), await kin.families.holders(mother.citizen)) == (["本人"], [])
    with pytest.raises(RequestOver) as over:
        await kin.families.revoke(held, mother.citizen, once())
    assert over.value.state == "revoked"
    with pytest.raises(NotBound):
        await kin.families.relative(son.citizen, await kin.citizens.self_person(mother.citizen))


async def test_the_holder_lets_go_and_nobody_else_can(kin: Kin) -> None:
    son, mother, other = await kin.person("王小明"), await kin.stranger("李桂芳"), await kin.person("赵六")
    held = await kin.bound(son, mother)
    for wrong in (held, "999", "x", "", "²", "9" * 40):
        with pytest.raises(NoSuchBinding):
            await kin.families.revoke(wrong, other.citizen, once())
    await kin.families.revoke(held, son.citizen, once())
    assert await kin.titles(son) == ["本人"]


async def test_what_a_newer_one_replaced_is_taken_back_with_it(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    seen = await kin.bound(son, mother, "mother", "book")
    await kin.bound(son, mother, "mother", "report")
    await kin.families.revoke(seen, mother.citizen, once())
    assert await kin.titles(son, "report") == []


async def test_an_unproven_self_stays(kin: Kin) -> None:
    son = await kin.person("王小明")
    (me,) = await kin.families.people(son.citizen)
    with pytest.raises(SelfStays):
        await kin.families.revoke(me.binding, son.citizen, once())


async def test_a_proven_self_is_the_same_person_with_their_name(kin: Kin) -> None:
    son = await kin.person("王小明")
    (before,) = await kin.families.people(son.citizen)
    proven = await kin.proves_self(son)
    (me,) = await kin.families.people(son.citizen)
    assert (me.id, me.name, me.binding, me.title) == (before.id, "王*明", proven, "本人")
    with pytest.raises(AlreadyBound):
        await kin.proves_self(son)
    other = await kin.stranger("李四")
    with pytest.raises(AlreadyProven):
        await kin.asks(son, other, "self")
    with pytest.raises(AlreadyBound):
        await kin.asks(son, son, "brother")


async def test_a_self_that_somebody_registered_before_moves_there(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳")
    held = await kin.bound(son, mother)
    (old,) = await kin.families.people(mother.citizen)
    await kin.proves_self(mother)
    (me,) = await kin.families.people(mother.citizen)
    assert me.id != old.id
    assert me.id == (await kin.families.meant(son.citizen, "妈"))[0].id
    former = await kin.families.relative(mother.citizen, old.id)
    assert (former.relation, former.title) == ("former", "本人"), "what was booked before stays theirs"
    async with kin.db.transaction() as tx:
        assert await kin.families.active(tx, mother.citizen, old.id, "book") == old.binding
    assert [each.binding for each in await kin.families.holders(mother.citizen)] == [held]
    with pytest.raises(SelfStays):
        await kin.families.revoke(former.binding, mother.citizen, once())


async def test_who_held_themselves_as_family_is_themselves_once_proven(kin: Kin) -> None:
    son = await kin.person("王小明")
    await kin.bound(son, son, "brother")
    await kin.proves_self(son)
    assert await kin.titles(son) == ["本人"]


async def test_a_second_phone_of_hers_is_seen_and_taken_back(kin: Kin) -> None:
    mother, thief = await kin.person("李桂芳", proven=True), await kin.person("小偷")
    thief.name, thief.number = mother.name, mother.number
    await kin.proves_self(thief)
    (other,) = await kin.families.holders(mother.citizen)
    assert (other.relation, other.title, other.asker) == ("self", "本人", "")
    await kin.families.revoke(other.binding, mother.citizen, once())
    (me,) = await kin.families.people(thief.citizen)
    assert me.id != await kin.citizens.self_person(mother.citizen), "a new self, of which nothing is known"
    assert (me.title, me.name) == ("本人", "")
    assert await kin.families.asked_of(thief.citizen) == []


async def test_nobody_asks_to_be_what_is_no_relation(kin: Kin) -> None:
    for relation in ("former", "cousin", ""):
        with pytest.raises(ValueError, match="nobody asks"):
            kin.families.wish(relation, "李桂芳", "110105194912310021", "小王")
