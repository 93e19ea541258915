"""WeChat Pay's page in a real browser: signed or not, back to where one came from, over after ten minutes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import BrowserContext, Page, expect

import simulator.app
from simulator.pay import Pay
from simulator.pay_ledger import SESSION_S, Contract
from simulator.people import Standing
from tests.clients.test_pay import MADE, played
from tests.simulator.town import MovableClock, account

pytestmark = pytest.mark.browser
PLAN = 12535
LEADS = (
    '<!doctype html><meta name="referrer" content="no-referrer-when-downgrade"><a href="{}">去微信支付</a>'
)


@dataclass
class Shop:
    """A merchant's page that leads to WeChat Pay, and who looks at it."""

    page: Page
    pay: Pay
    clock: MovableClock
    url: str
    contract: Contract

    async def leads_to_the_page(self) -> None:
        await self.page.goto(self.url)
        await self.page.get_by_role("link", name="去微信支付").click()


@pytest.fixture
async def shop(phone: BrowserContext, clock: MovableClock) -> AsyncIterator[Shop]:
    app = simulator.app.build([account("http://127.0.0.1:9/wechat/city")], clock=clock)
    pay = simulator.app.play_pay(app, played(MADE), factor=0.001)
    app[simulator.app.WECHAT].people.meet("city", "o1", Standing.FOLLOWER)
    until = clock().timestamp() + SESSION_S
    contract = Contract("c1", PLAN, "wxcity0123456789", "o1", "http://127.0.0.1:9/notify", "s1", until)
    pay.ledger.ask(contract)
    async with TestServer(app) as bank:

        async def leads(_request: web.Request) -> web.Response:
            text = LEADS.format(bank.make_url("/pay/sign?session=s1"))
            return web.Response(text=text, content_type="text/html", charset="utf-8")

        door = web.Application()
        door.router.add_get("/transit/open", leads)
        async with TestServer(door) as ours:
            yield Shop(await phone.new_page(), pay, clock, str(ours.make_url("/transit/open?a=1")), contract)


async def test_who_agrees_has_signed_and_is_led_back(shop: Shop, album: Path) -> None:
    await shop.leads_to_the_page()
    await expect(shop.page.get_by_role("heading", name="公交地铁乘车码")).to_be_visible()
    await shop.page.screenshot(path=album / "pay-asks.png")
    await shop.page.get_by_role("button", name="同意并开通").click()
    await expect(shop.page.get_by_role("heading", name="已开通免密支付")).to_be_visible()
    assert shop.contract.state == "CONTRACTED"
    await shop.page.get_by_role("link", name="返回商家").click()
    await expect(shop.page).to_have_url(f"{shop.url}&from_wxpay=1")


async def test_who_does_not_agree_has_signed_nothing(shop: Shop, album: Path) -> None:
    await shop.leads_to_the_page()
    await shop.page.get_by_role("button", name="取消").click()
    await expect(shop.page.get_by_role("heading", name="没有开通")).to_be_visible()
    await shop.page.screenshot(path=album / "pay-cancelled.png")
    assert shop.contract.state == "NOT_CONTRACTED"


async def test_a_page_that_was_left_open_too_long_is_over(shop: Shop, album: Path) -> None:
    await shop.leads_to_the_page()
    shop.clock.passes(seconds=SESSION_S + 1)
    await shop.page.get_by_role("button", name="同意并开通").click()
    await expect(shop.page.get_by_role("heading", name="页面已过期")).to_be_visible()
    await shop.page.screenshot(path=album / "pay-over.png")
    assert shop.contract.state == "NOT_CONTRACTED"
