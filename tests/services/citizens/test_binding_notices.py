"""Who hears what of a request, once each; and what is not sent any more when a binding is taken back."""

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from core.clock import SystemClock
from core.delivery.lanes import Lane
from core.seal import Seal
from core.stores.database import Database
from services.citizens import errors
from services.citizens.model import Limits, Recipient
from services.citizens.service import Citizens
from tests.core.delivery.bureau import Bureau, clock_at
from tests.core.delivery.town import Phone
from tests.services.citizens.kin import Kin, Person, once
from tests.support.waiting import until
from tests.support.wording import house_words


async def family(kin: Kin) -> tuple[Person, Person, str]:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    return son, mother, await kin.asks(son, mother, calls="儿子小明")


async def test_she_is_asked_once_who_wants_what_and_until_when(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    for _ in range(3):
        await kin.proving.ask_person(asked, son.citizen, once())
    assert await kin.told(mother) == ["binding_consent"]
    letter = await kin.letter(mother)
    assert letter.text.splitlines() == [
        "【家人申请】",
        "“儿子小明”想在微信上替您办事：挂号、付款、看排队",
        "申请里写您是对方的“妈妈”。",
        "您同意了才能办，以后随时可以取消。",
        "不认识这个人，请选“拒绝”。",
        "明天 11月24日 周二 09:00 前有效",
    ]
    assert letter.options == (("agree", "同意"), ("refuse", "拒绝"))
    assert letter.about == asked
    assert letter.expires == int((kin.clock.now() + timedelta(hours=24)).timestamp())
    assert dict(letter.fields)["thing1"] == "儿子小明"


async def test_who_asks_is_quoted_and_brings_no_link(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    for calls, said in (
        ('<a href="http://x.cn">银行</a>', "“a href="),
        ("  ", "有人"),
        ("很" * 200, "“" + "很" * 20),
    ):
        asked = await kin.asks(son, mother, calls=calls)
        await kin.proving.ask_person(asked, son.citizen, once())
        letter = await kin.letter(mother)
        assert said in letter.text
        assert "<" not in letter.text
        assert len(letter.text.splitlines()) == 6
        assert 0 < len(dict(letter.fields)["thing1"]) <= 20


async def test_all_her_phones_are_asked_and_the_second_yes_is_too_late(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    tablet = await kin.person("李桂芳")
    tablet.number = mother.number
    await kin.proves_self(tablet)
    await kin.proving.ask_person(asked, son.citizen, once())
    assert await kin.told(mother) == ["binding_made", "binding_consent"], "of the tablet, too"
    assert await kin.told(tablet) == ["binding_consent"]
    await kin.proving.approve(asked, tablet.citizen, once())
    with pytest.raises(errors.RequestOver):
        await kin.proving.approve(asked, mother.citizen, once())
    guards = await kin.db.fetch(
        "SELECT guards_hold(guard_keys, guard_ns) AS hold FROM outbox WHERE kind = 'binding_consent'"
    )
    assert [row["hold"] for row in guards] == [False, False], "nobody is asked what is decided"


async def test_who_cannot_be_reached_is_not_asked(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    await kin.citizens.leave(mother.conversation)
    assert await kin.proving.ask_person(asked, son.citizen, once()) == asked
    assert await kin.told(mother) == []


async def test_at_night_nobody_is_asked_before_the_morning(kin: Kin) -> None:
    son, _, asked = await family(kin)
    kin.passes(timedelta(hours=14))  # 23:00
    await kin.proving.ask_person(asked, son.citizen, once())
    assert await kin.db.fetchval("SELECT hold FROM outbox") == "quiet"


async def test_where_the_morning_is_too_late_she_is_not_asked_and_the_operator_told(
    db: Database, seal: Seal
) -> None:
    kin = Kin(db, seal, clock_at(21), Limits(lasts=timedelta(hours=2)))
    son, mother, asked = await family(kin)
    with capture_logs() as lines:
        assert await kin.proving.ask_person(asked, son.citizen, once()) == asked
    assert [line["event"] for line in lines] == ["binding_not_told"]
    assert await kin.told(mother) == []


async def test_yes_without_a_dialogue_that_waits(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    await kin.proving.approve(asked, mother.citizen, once())
    assert (await kin.told(son), await kin.told(mother)) == (["binding_done"], [])
    letter = await kin.letter(son)
    assert "妈妈（李*芳）的申请已经通过" in letter.text
    assert (letter.options, dict(letter.fields)["phrase2"]) == ((), "已通过")


async def test_yes_with_a_dialogue_that_waits(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    await kin.proving.keep(asked, son.citizen, b"answers", "挂号")
    await kin.proving.approve(asked, mother.citizen, once())
    assert await kin.told(son) == ["binding_approved"]
    letter = await kin.letter(son)
    assert letter.text.splitlines()[1:] == [
        "妈妈（李*芳）的申请已经通过。",
        "刚才的“挂号”还留着，要继续吗？",
    ]
    assert letter.options == (("go_on", "继续挂号"), ("drop", "不用了")), "in the dialogue's own word"
    assert dict(letter.fields)["thing3"] == "回复 1继续挂号 2不用了"
    assert letter.expires == int((kin.clock.now() + timedelta(hours=24)).timestamp())


async def test_whoever_proves_it_themselves_is_told_by_the_answer_alone(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    await kin.bound(son, mother)
    assert (await kin.told(son), await kin.told(mother)) == ([], ["binding_made"])


async def test_who_is_bound_by_a_code_hears_at_once_who_may_what_and_how_to_end_it(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    kin.passes(timedelta(hours=14))  # 23:00: it waits for no morning
    held = await kin.bound(son, mother)
    letter = await kin.letter(mother)
    assert letter.text.splitlines() == [
        "【家人变动】",
        "“小王”可以替您办事了：挂号、付款、看排队",
        "（对方报出了医院发的验证码）",
        "不认识或不愿意，请说“解绑”，马上取消。",
        "想看谁能替您办事，请说“我的家人”。",
    ]
    assert dict(letter.fields)["thing1"] == "小王"
    row = await kin.db.fetchrow(
        "SELECT state, hold, lane, guard_keys FROM outbox WHERE kind = 'binding_made'"
    )
    assert row is not None
    assert (row["state"], row["hold"], Lane(row["lane"])) == ("queued", "", Lane.PERSONAL)
    assert kin.families.guard(held) in row["guard_keys"], "what is taken back by then is not told any more"
    kinds = kin.notices.kinds
    assert not kinds["binding_made"].counts, "no cap keeps it back"
    assert not kinds["binding_made"].purpose, "and nobody can stop it"


async def test_she_hears_of_the_counter_and_a_child_of_the_roster(kin: Kin) -> None:
    son, mother = await kin.person("王小明", proven=True), await kin.person("李桂芳", proven=True)
    await kin.proving.approve_at_counter(await kin.asks(son, mother, calls=""), "s_li", once())
    assert "一位家人可以替您办事了" in (await kin.letter(mother)).text
    assert "（窗口核对了证件）" in (await kin.letter(mother)).text
    child = await kin.person("王小小", born="20180501", proven=True)
    kin.clinic.guardians.add((son.number, child.number))
    asked = await kin.asks(son, child, "daughter")
    await kin.proving.check_roster(asked, son.citizen, kin.clinic.name, once())
    assert "（医院名单上是监护人）" in (await kin.letter(child)).text


async def test_another_phone_that_becomes_her_is_told_to_her(kin: Kin) -> None:
    mother, thief = await kin.person("李桂芳", proven=True), await kin.person("小偷")
    thief.name, thief.number = mother.name, mother.number
    held = await kin.proves_self(thief)
    assert "另一个微信核实成了您本人，可以替您办事" in (await kin.letter(mother)).text
    assert await kin.told(thief) == [], "not to who did it"
    await kin.families.revoke(held, mother.citizen, once())
    assert await kin.titles(thief) == ["本人"]


async def test_her_yes_is_told_to_her_other_phone_alone(kin: Kin) -> None:
    son, mother, asked = await family(kin)
    tablet = await kin.person("李桂芳")
    tablet.number = mother.number
    await kin.proves_self(tablet)
    before = len(await kin.told(mother))
    await kin.proving.approve(asked, mother.citizen, once())
    assert (await kin.told(tablet), len(await kin.told(mother))) == (["binding_made"], before)
    assert "（您在另一个微信同意的）" in (await kin.letter(tablet)).text
    assert await kin.told(son) == ["binding_done"]


async def test_who_is_not_here_is_not_told(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    await kin.citizens.leave(mother.conversation)
    await kin.bound(son, mother)
    assert await kin.told(mother) == []


@pytest.mark.parametrize("kept", [False, True])
async def test_no(kin: Kin, kept: bool) -> None:
    son, mother, asked = await family(kin)
    if kept:
        await kin.proving.keep(asked, son.citizen, b"answers", "挂号")
    await kin.proving.refuse(asked, mother.citizen, once())
    assert await kin.told(son) == ["binding_refused"]
    letter = await kin.letter(son)
    assert "妈妈（李*芳）没有同意您的申请" in letter.text
    assert ("挂号" in letter.text) is kept


@pytest.mark.parametrize("kept", [False, True])
async def test_nobody_answered(kin: Kin, kept: bool) -> None:
    son, _, asked = await family(kin)
    if kept:
        await kin.proving.keep(asked, son.citizen, b"answers", "挂号")
    kin.passes(timedelta(hours=24))
    await kin.proving.expire()
    await kin.proving.expire()
    assert await kin.told(son) == ["binding_expired"]
    letter = await kin.letter(son)
    assert "没有在期限内办完" in letter.text
    assert ("挂号" in letter.text) is kept


async def test_oneself_at_the_counter_and_oneself_too_late(kin: Kin) -> None:
    son = await kin.person("王小明")
    asked = await kin.asks(son, son, "self")
    kin.passes(timedelta(hours=24))
    await kin.proving.expire()
    assert "您的身份没有在期限内核实" in (await kin.letter(son)).text
    asked = await kin.asks(son, son, "self")
    await kin.proving.approve_at_counter(asked, "window-3", once())
    assert "您的身份已经核实好了" in (await kin.letter(son)).text
    other = await kin.person("王小明")
    other.number = son.number
    asked = await kin.asks(other, other, "self")
    await kin.proving.keep(asked, other.citizen, b"answers", "看报告")
    await kin.proving.approve_at_counter(asked, "window-3", once())
    assert "刚才的“看报告”还留着" in (await kin.letter(other)).text


async def test_taken_back_by_her_he_is_told(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    await kin.families.revoke(held, mother.citizen, once())
    assert (await kin.told(son), await kin.told(mother)) == (["binding_revoked"], ["binding_made"])
    assert "妈妈（李*芳）取消了您替对方办事的权限" in (await kin.letter(son)).text


async def test_let_go_by_him_she_is_told(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    await kin.families.revoke(held, son.citizen, once())
    assert (await kin.told(son), await kin.told(mother)) == ([], ["binding_made", "binding_revoked"])
    letter = await kin.letter(mother)
    assert "“小王”不再替您办事了" in letter.text
    assert dict(letter.fields)["thing1"] == "小王"


async def test_the_other_phone_is_told_that_it_is_not_her_any_more(kin: Kin) -> None:
    mother, thief = await kin.person("李桂芳", proven=True), await kin.person("小偷")
    thief.name, thief.number = mother.name, mother.number
    other = await kin.proves_self(thief)
    await kin.families.revoke(other, mother.citizen, once())
    assert "另一个微信取消了这里的本人身份" in (await kin.letter(thief)).text


async def test_who_lets_go_of_being_themselves_troubles_nobody_else(kin: Kin) -> None:
    mother, tablet = await kin.person("李桂芳", proven=True), await kin.person("李桂芳")
    tablet.number = mother.number
    held = await kin.proves_self(tablet)
    await kin.families.revoke(held, tablet.citizen, once())
    assert (await kin.told(mother), await kin.told(tablet)) == (["binding_made"], [])
    assert not await kin.db.fetchval("SELECT guards_hold(guard_keys, guard_ns) FROM outbox"), "nor of that"


async def test_every_refusal_can_be_said_in_a_few_lines(kin: Kin) -> None:
    words, now = house_words(), kin.clock.now()
    said = [
        errors.NoSuchBinding(),
        errors.NotBound(scope="book"),
        errors.AlreadyBound(title="妈妈"),
        errors.AlreadyProven(),
        errors.TooManyPersons(most=5),
        errors.TooManyAccounts(most=4),
        errors.TooManyRequests(at=now),
        errors.TooManyAttempts(at=now),
        errors.TooManyAttempts(at=None),
        errors.WrongCode(left=2),
        errors.WrongCode(left=0),
        errors.NotInRoster(institution="第一医院"),
        errors.SelfNotProven(),
        errors.NoSuchWay(),
        *(
            errors.RequestOver(state=each)
            for each in ("active", "rejected", "withdrawn", "expired", "revoked")
        ),
        errors.SelfStays(),
    ]
    for refusal in said:
        text = words.render(f"errors/{refusal.code}", **refusal.facts)
        assert 1 <= len(text.splitlines()) <= 3
        assert text.endswith(("。", "？"))


async def phones(bureau: Bureau, kin: Kin, *people: Person) -> None:
    """Let the bureau's WeChat reach these, who have just written."""
    for each in people:
        bureau.post.phones[each.conversation] = Phone("city", f"o-{each.conversation[-8:]}")
        await bureau.opens(conversation=each.conversation)
    bureau.city = kin.citizens
    bureau.out = bureau.worker()


class TakesBack(Citizens):
    """Somebody takes a binding back while a worker has the messages in hand that hang on it."""

    kin: Kin
    binding = ""
    by = ""
    at = 0.0

    async def resolve_all(self, conversations: Sequence[str]) -> dict[str, Recipient]:
        found = await super().resolve_all(conversations)
        if self.binding:
            binding, self.binding = self.binding, ""
            await self.kin.families.revoke(binding, self.by, once())
            self.at = time.monotonic()
        return found


@pytest.mark.parametrize("is_revoked", [True, False], ids=["revoked", "control"])
async def test_what_a_worker_has_in_hand_is_cancelled_within_a_second(
    bureau: Bureau, is_revoked: bool
) -> None:
    kin = Kin(bureau.db, bureau.seal, SystemClock())
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    await phones(bureau, kin, son, mother)
    bureau.city = city = TakesBack(bureau.db, bureau.seal)
    city.kin, city.by, city.binding = kin, mother.citizen, held if is_revoked else ""
    bureau.out = bureau.worker()
    guard = kin.families.guard(held)
    for number in range(5):
        about = bureau.notice("visit", f"b{number}", son.conversation)
        await bureau.queue(replace(about, guards=(f"booking:b{number}", guard)))
    await bureau.out.send_due()
    states = await bureau.db.fetch("SELECT state, reason FROM outbox WHERE kind = 'visit'")
    heard = bureau.post.phones[son.conversation].heard
    if is_revoked:
        assert time.monotonic() - city.at < 1
        assert {tuple(row) for row in states} == {("cancelled", "changed")}
        assert not [each for each in heard if "visit" in each or "条未读" in each]
    else:
        assert {row["state"] for row in states} == {"accepted"}
        assert len(heard) == 5


async def test_what_was_to_come_later_is_cancelled_too(bureau: Bureau) -> None:
    kin = Kin(bureau.db, bureau.seal, SystemClock())
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    await phones(bureau, kin, son, mother)
    about = bureau.notice("visit", "b1", son.conversation)
    await bureau.queue(replace(about, guards=(kin.families.guard(held),)))
    await kin.families.revoke(held, mother.citizen, once())
    await bureau.out.send_due()

    async def settled() -> bool:
        state = await bureau.db.fetchval("SELECT state FROM outbox WHERE kind = 'visit'")
        return str(state) == "cancelled"

    await until(settled, "the message is cancelled", 1)
