"""Two phones play a consent: the daughter asks, the mother agrees in her own chat, the booking goes on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from commands.recurring import sending
from core.clock import SystemClock, city_day
from simulator.residents import Resident, residents
from tests.support.city import City
from tests.support.phones import say_on
from tests.support.waiting import until

pytestmark = pytest.mark.browser


class Two:
    """The daughter's phone and the mother's, side by side."""

    def __init__(self, page: Page, city: City, album: Path) -> None:
        self.page = page
        self.city = city
        self.album = album

    async def says(self, suffix: str, words: str, answer: str) -> None:
        """Write on one of them, and wait for one reply more, with these words."""
        await say_on(self.page, suffix, words, answer)

    async def walks(self, suffix: str, *steps: tuple[str, str]) -> None:
        """One thing after another, each with its answer."""
        for words, answer in steps:
            await self.says(suffix, words, answer)

    async def follows(self, suffix: str) -> None:
        await self.page.locator(f"#follow{suffix}").click()
        await expect(self.page.locator(f"#log{suffix}")).to_contain_text("您好")

    async def hears(self, suffix: str, words: str) -> None:
        """Wait for a message of ours."""
        await expect(self.page.locator(f"#log{suffix}")).to_contain_text(words, timeout=15_000)

    async def code(self, who: Resident) -> str:
        """The code on somebody's telephone."""
        found: list[str] = []

        async def arrived() -> bool:
            async with self.city.http.get(f"{self.city.url}/sim/sms", params={"number": who.phone}) as answer:
                texts = await answer.json()
            found[:] = [word for text in texts for word in _digits(text["content"])]
            return bool(found)

        await until(arrived, "a short message")
        return found[-1]

    async def shows(self, name: str) -> None:
        await self.page.screenshot(path=self.album / f"families-{name}.png")


def _digits(content: str) -> list[str]:
    return [word for word in "".join(c if c.isdigit() else " " for c in content).split() if len(word) == 6]


@pytest.fixture
def mother() -> Resident:
    """Somebody whom the demo hospital knows."""
    today = city_day(SystemClock().timestamp())
    return next(each for each in residents(today) if each.name == "王秀英")


@pytest.fixture
async def two(city: City, chromium: Browser, album: Path) -> AsyncIterator[Two]:
    """Both phones, each following."""
    context = await chromium.new_context(
        viewport={"width": 1280, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = await context.new_page()
    page.on("pageerror", lambda wrong: pytest.fail(f"the page broke: {wrong}"))
    await page.goto(f"{city.url}/phone")
    two = Two(page, city, album)
    await two.follows("")
    await page.locator("#second-phone").click()
    await two.follows("-2")
    async with sending(city.gateway.reception.outgoing):
        yield two
    await context.close()


async def test_a_daughter_asks_and_her_mother_agrees(two: Two, mother: Resident) -> None:
    await two.walks(
        "-2",
        ("绑定", "您的什么人"),
        ("本人", "您同意吗"),
        ("1", "姓名"),
        ("王秀英", "身份证号码"),
        (mother.id_number, "请核对"),
        ("没错", "您想怎么证明"),
        ("短信", "6 位数字"),
    )
    await two.shows("1-the-mother-proves-who-she-is")
    await two.says("-2", await two.code(mother), "已经确认是您本人")
    await two.walks(
        "",
        ("给我妈挂心内科", "您还没有添加妈妈"),
        ("1", "姓名"),
        ("王秀英", "身份证号码"),
        (mother.id_number, "请写上您是谁"),
        ("女儿小芳", "请核对"),
        ("没错", "您想怎么证明"),
        ("1", "您刚才的挂号先留着"),
    )
    await two.hears("-2", "女儿小芳")
    await two.shows("2-the-mother-is-asked")
    await two.walks("-2", ("1", "您认得这个人吗"), ("1", "已经同意"))
    await two.hears("", "还留着，要继续吗")
    await two.shows("3-the-daughter-hears")
    questions = ("请选择医生", "请选择日期", "请选择时间", "您的妈妈王*英就诊", "【预约成功】妈妈王*英")
    await two.walks("", *(("1", question) for question in questions))
    await two.shows("4-booked-for-the-mother")
    await two.says("-2", "我的家人", "可以替您办事的：女儿小芳")
    await two.walks("-2", ("解绑", "要解绑吗"), ("1", "已经解绑"))
    await two.hears("", "取消了您替对方办事的权限")
    await two.says("", "我的预约", "没有预约")
    await two.shows("5-taken-back")
