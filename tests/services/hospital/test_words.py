"""Every refusal has its sentence, and the sentence says what helps."""

from pathlib import Path

import pytest

from core.chat.words import Words
from core.clock import ManualClock
from core.errors import DomainError
from services.citizens.model import UnknownCitizen
from services.hospital import errors
from services.hospital.errors import CANCEL_REFUSALS, CLAIM_REFUSALS, NoSuchBooking, NoSuchPeriod
from services.hospital.rules import Rules
from services.hospital.service import Hospital
from tests.services.ward import Ward, at, effect

ROOT = Path(__file__).parents[3]
LINES = 6  # design 3: at most six lines


@pytest.fixture(scope="module")
def words() -> Words:
    return Words(ROOT / "templates")


def test_every_refusal_of_the_module_is_in_a_table() -> None:
    families = {
        DomainError,
        errors.ClaimRefused,
        errors.CancelRefused,
        errors.NothingLeft,
        errors.NotAsWished,
        errors.NobodyElse,
        NoSuchPeriod,
        NoSuchBooking,
    }
    all_of_them = {kind for kind in vars(errors).values() if isinstance(kind, type)} - families
    assert all_of_them == {*CLAIM_REFUSALS.values(), *CANCEL_REFUSALS.values()}


async def test_a_full_period_says_so_in_one_line(ward: Ward, hospital: Hospital, words: Words) -> None:
    full, *_ = await ward.session(starts=at("10:00"), units=(1, 1, 1, 1))
    await hospital.hold(full, await ward.citizen(), effect())
    with pytest.raises(errors.UnitTaken) as refused:
        await hospital.hold(full, await ward.citizen(), effect())
    said = words.render("errors/unit_taken", **refused.value.facts)
    assert said == "陈heart1 11月23日 周一 10:00 已约满。"  # what there is instead, is asked by number
    others = words.question("hospital/period", options=await hospital.periods_or_others(full[:-5]))
    assert others.lead == "陈heart1 11月23日 周一，请选择时间："


async def test_what_there_is_instead_names_doctor_and_hospital(
    ward: Ward, hospital: Hospital, words: Words
) -> None:
    (full,) = await ward.session(starts=at("10:00"))
    await ward.session("heart-2", starts=at("10:30"))
    await hospital.hold(full, await ward.citizen(), effect())
    instead = await hospital.periods_or_others(full[:-5])
    question = words.question("hospital/period", options=instead)
    assert question.lead == "还可以约："
    assert [question.label(each) for each in instead] == ["11月23日 周一\n10:30 陈heart2 测试医院"]
    assert await hospital.periods_or_others("nowhere") == []


async def test_what_people_read_most_was_longer_than_six_lines(
    ward: Ward, hospital: Hospital, words: Words
) -> None:
    citizen = await ward.citizen()
    periods = [(await ward.session(f"{name}-1", starts=at("10:00")))[0] for name in ("heart", "lungs")]
    quote = await hospital.quote(periods[0], citizen)
    for period in periods:
        await hospital.hold(period, citizen, effect())
    mine = words.render("hospital/mine", bookings=await hospital.bookings(citizen), count=5, left=3, next=2)
    asked = words.question("hospital/confirm", it=quote).lead
    read = {
        "mine": mine.rpartition("——")[0],
        "confirm": words.render(
            "chat/confirm", notes=[], lead=asked, back=True, lines=["确认", "不要了"]
        ).rpartition("请回复数字")[0],
        "help": words.render("common/help"),
        "welcome": words.render("common/welcome"),
    }
    for name, text in read.items():
        lines = [line for line in text.splitlines() if line]
        assert len(lines) <= LINES, (name, text)
    assert "我的预约 2" in mine


async def test_a_late_cancellation_names_deadline_and_phone(
    ward: Ward, hospital: Hospital, clock: ManualClock, words: Words
) -> None:
    (period,) = await ward.session(starts=at("10:00"))
    citizen = await ward.citizen()
    booking = await hospital.hold(period, citizen, effect())
    clock.set(at("09:40"))
    with pytest.raises(errors.TooLateToCancel) as refused:
        await hospital.cancel(booking, citizen, effect())
    said = words.render("errors/too_late_to_cancel", **refused.value.facts)
    assert "11月23日 周一 09:30" in said
    assert "0199-5550000" in said


@pytest.mark.parametrize("offered", [True, False], ids=["with alternatives", "without"])
async def test_each_sentence_renders_and_is_short(
    ward: Ward, hospital: Hospital, words: Words, offered: bool
) -> None:
    period, *_ = await ward.session(starts=at("10:00"), units=(1, 1, 1, 1))
    booking = await hospital.booking(await hospital.hold(period, await ward.citizen(), effect()))
    alternatives = await hospital.alternatives(period) if offered else []
    claim = {"period": (alternatives or await hospital.periods(f"heart-1:{at('10:00').date()}:AM"))[0]}
    facts: dict[str, dict[str, object]] = {
        **{
            code: {**claim, "at": at("10:00"), "rules": Rules(), "alternatives": alternatives}
            for code in CLAIM_REFUSALS
        },
        **{code: {"booking": booking, "at": at("10:00")} for code in CANCEL_REFUSALS},
        errors.NothingLeft.code: {"doctor": "", "alternatives": alternatives},
        errors.NobodyElse.code: {},
        NoSuchPeriod.code: {},
        NoSuchBooking.code: {},
        UnknownCitizen.code: {"citizen": "c_"},
    }
    for code, known in facts.items():
        lines = words.render(f"errors/{code}", **known).splitlines()
        assert 1 <= len(lines) <= LINES, code
        assert all(line.strip() for line in lines), code
