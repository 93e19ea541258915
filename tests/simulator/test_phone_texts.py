"""Short messages on the phone page in a real browser: they drop in on the right phone and stay to be read."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.async_api import BrowserContext, expect

from tests.simulator.conftest import MakeTown
from tests.simulator.hospital import Hospital, opened
from tests.simulator.test_phone_notices import picture
from tests.simulator.test_phone_page import Chat
from tests.simulator.test_phone_page import opened as looked_at

__all__ = ["picture"]

pytestmark = pytest.mark.browser

Picture = Callable[..., Any]


@pytest.fixture
async def hospital(make_town: MakeTown) -> Hospital:
    expect.set_options(timeout=15_000)  # a busy machine is no broken page
    town = await make_town()
    town.bot.says("好的")
    # The page tells fresh messages from old ones by the browser's clock.
    town.clock.now = town.clock.now.now(town.clock.now.tzinfo)
    return opened(town)


async def at_the_cards(chat: Chat) -> None:
    await chat.part("profile").click()
    await chat.part("texts").click()
    await chat.part("change-card").click()


async def test_a_code_drops_in_and_fills_the_line(
    hospital: Hospital, phone: BrowserContext, picture: Picture
) -> None:
    chat = await followed_quietly(phone, hospital)
    granny = await hospital.person("王秀英")
    await at_the_cards(chat)
    await picture(chat.page, "sms-people")
    await chat.page.get_by_role("button", name="王秀英").click()
    await expect(chat.page.get_by_role("alert")).to_have_text("已插卡：154 0000 0001")
    await hospital.sends(granny)
    await expect(chat.part("sms")).to_contain_text("云汀市人民医院")
    await expect(chat.page.locator(".note")).to_have_count(0)
    await picture(chat.page, "sms-card")
    await chat.part("fill-code").click()
    await expect(chat.part("say")).to_have_value(await hospital.code_of(granny))
    await expect(chat.part("sms")).to_have_count(0)
    await chat.part("profile").click()
    await chat.part("texts").click()
    await expect(chat.page.locator(".sms-text")).to_have_count(1)
    await expect(chat.page.locator(".sim")).to_contain_text("王秀英")
    await picture(chat.page, "sms-list")
    await chat.page.get_by_role("button", name=granny["id_number"]).click()
    await expect(chat.part("say")).to_have_value(await hospital.code_of(granny))  # what is written stays


async def test_names_and_numbers_of_a_family_need_no_typing(
    hospital: Hospital, phone: BrowserContext
) -> None:
    chat = await followed_quietly(phone, hospital)
    child = await hospital.person("赵小雨")
    await at_the_cards(chat)
    await chat.page.get_by_role("button", name="陈玉梅").first.click()
    await chat.part("profile").click()
    await chat.part("texts").click()
    await chat.page.get_by_role("button", name=child["id_number"]).click()
    await expect(chat.part("say")).to_have_value(child["id_number"])


async def test_each_phone_gets_its_own(hospital: Hospital, chromium: Any, picture: Picture) -> None:
    context = await chromium.new_context(viewport={"width": 1440, "height": 950})
    first = await followed_quietly(context, hospital)
    await first.page.locator("#second-phone").click()
    second = Chat(first.page, "-2")
    await second.part("follow").click()
    await second.sees("好的")
    await at_the_cards(first)
    await first.page.get_by_role("button", name="王秀英").click()
    father = await hospital.person("赵志强")
    await hospital.sends(father)
    await expect(second.part("sms")).to_contain_text("发给 154 0000 0003")
    assert await first.part("sms").count() == 0, "whose phone has a number sees that number's messages"
    await hospital.sends(await hospital.person("王秀英"))
    await expect(first.part("sms")).to_contain_text("短信 · 现在")
    await picture(first.page, "sms-two-phones")
    await first.page.locator("#texts-of-first").click()
    await expect(first.page.locator(".sms-text")).to_have_count(1)
    await picture(first.page, "sms-desk")
    await context.close()


async def test_old_messages_do_not_drop_in_again(hospital: Hospital, phone: BrowserContext) -> None:
    chat = await followed_quietly(phone, hospital)
    await hospital.sends(await hospital.person("李建国"))
    await expect(chat.part("sms")).to_be_visible()
    await chat.page.get_by_label("收起短信").click()
    await chat.say("在吗")
    await chat.sees("好的")
    assert await chat.part("sms").count() == 0
    hospital.town.clock.passes(hours=1)


async def test_a_town_without_institutions_has_no_cards(make_town: MakeTown, phone: BrowserContext) -> None:
    town = await make_town()
    town.bot.says("好的")
    chat = await followed_quietly(phone, Hospital(town))
    await chat.part("profile").click()
    await expect(chat.part("unfollow")).to_be_visible()
    assert await chat.part("texts").count() == 0


async def followed_quietly(context: BrowserContext, hospital: Hospital) -> Chat:
    chat = await looked_at(context, hospital.town)
    await chat.part("follow").click()
    await chat.sees("好的")
    return chat
