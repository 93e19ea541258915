"""From the first message to the stored booking, through the platform's own front door."""

import re

from tests.support.city import City

OPENID = "oCitizen0000000000000000001a"


async def test_one_at_every_question_books_the_first_bookable_thing(city: City) -> None:
    reply = await city.says(OPENID, "挂号")
    for _ in range(6):
        if "预约成功" in reply:
            break
        assert "1、" in reply, reply
        reply = await city.says(OPENID, "1")
    assert "预约成功" in reply
    assert re.search(r"\d+月\d+日 周[一二三四五六日] \d\d:\d\d", reply), reply
    mine = await city.says(OPENID, "我的预约")
    assert "您的预约一共 1 个" in mine
    assert await city.booked() == 1


async def test_the_first_message_may_name_the_department(city: City) -> None:
    assert "请选择医生" in await city.says(OPENID, "挂心内科")


async def test_a_booking_is_listed_cancelled_and_gone(city: City) -> None:
    reply = await city.says(OPENID, "挂号")
    while "预约成功" not in reply:
        reply = await city.says(OPENID, "1")
    assert "要取消这个号吗" in await city.says(OPENID, "取消预约")
    assert "已取消" in await city.says(OPENID, "1")
    assert "没有预约" in await city.says(OPENID, "我的预约")


async def test_following_is_welcomed_and_leaving_is_silent(city: City) -> None:
    async with city.http.post(
        f"{city.url}/sim/citizens", json={"account": "city", "openid": OPENID, "follows": False}
    ) as answer:
        assert answer.status == 200
    assert "您好" in await city.sends(OPENID, type="event", event="subscribe")
    left = await city.push(OPENID, type="event", event="unsubscribe")
    assert (left["reply"], left["notice"], left["attempts"]) == (None, None, 1)


async def test_danger_to_life_is_answered_before_everything(city: City) -> None:
    await city.says(OPENID, "挂号")
    assert "120" in await city.says(OPENID, "我胸痛得厉害")
    assert "没有要选的" in await city.says(OPENID, "1")


async def test_menu_taps_and_voice_open_the_same_services(city: City) -> None:
    by_menu = await city.sends(OPENID, type="event", event="CLICK", event_key="HOSPITAL_BOOK")
    by_voice = await city.sends(OPENID, type="voice", recognition="挂号。")
    assert by_menu == by_voice
