"""The first line of every list can be had, whatever the citizen has booked before."""

from datetime import timedelta

from tests.services.ward import MONDAY, Ward, at
from tests.support.talk import Talk

TUESDAY = MONDAY + timedelta(days=1)


async def test_one_at_every_question_books_although_a_booking_bars_the_first_doctor(
    talk: Talk, ward: Ward
) -> None:
    """H7: the first doctor's only half-day is the citizen's own already, then all of the first department."""
    await ward.session("heart-1", at("10:00"), units=(5,))
    await ward.session("heart-2", at("14:00"), half="PM", units=(5,))
    await ward.session("lungs-1", at("14:00", TUESDAY), half="PM", units=(5,))
    for doctor in ("陈heart1", "陈heart2", "陈lungs1"):
        assert "要约这个号吗" in await talk.walk("挂号", "1", "1", "1", "1")
        booked = await talk.says("1")
        assert "预约成功" in booked
        assert doctor in booked
