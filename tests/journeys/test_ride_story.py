"""From 开通 to a debit, into arrears and out again: a phone, WeChat Pay and gates, as `run` starts them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import (
    Browser,
    BrowserContext,
    FrameLocator,
    Locator,
    Page,
    ViewportSize,
    expect,
)

from tests.support.program import Place, Program, answers
from tests.support.waiting import until, wait_until

pytestmark = pytest.mark.browser
DESK = ViewportSize(width=1280, height=900)
_DRAWN = "code => code.toDataURL()"
SOON_MS = 30_000  # a machine that is busy with other tests


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A city that debits in real time."""
    place = Place(tmp_path_factory.mktemp("rides"), "[transit]\ndebit_after_s = 0\n", gates=True)
    program = Program(place).ready()
    wait_until(lambda: answers(f"{place.gates_url}/") is not None, "gates", 60)
    assert f"{place.gates_url}/" in program.said, "it tells where they are"
    yield place
    program.stop()


class Rider:
    """Somebody with a phone in one hand, and gates before them."""

    def __init__(self, phone: Page, desk: Page, place: Place, album: Path) -> None:
        self.phone, self.desk, self.place, self.album = phone, desk, place, album
        self._shots = 0
        self._chosen = False

    @property
    def web(self) -> FrameLocator:
        """The page in the phone's web view."""
        return self.phone.frame_locator(".webview iframe")

    async def follows(self) -> None:
        await self.phone.goto(f"{self.place.phone_url}/phone")
        await self.phone.locator("#follow").click()
        await expect(self.phone.locator('[data-kind="reply"]').last).to_contain_text("您好", timeout=SOON_MS)
        await expect(self.phone.locator("#menu button").first).to_be_attached()

    async def taps_more(self, what: str) -> None:
        """Something behind ＋."""
        if not await self.phone.locator("#say").is_visible():
            await self.phone.locator("#to-keyboard").click()
        await self.phone.locator("#more").click()
        if what == "wallet":
            await self.shows("more")
        await self.phone.locator(f"#more-{what}").click()

    async def closes_the_page(self) -> None:
        await self.phone.locator(".webview").get_by_role("button", name="关闭网页").click()

    async def follows_link(self, name: str) -> None:
        await self.web.get_by_role("link", name=name, exact=True).click(timeout=SOON_MS)

    async def presses(self, name: str) -> None:
        await self.web.get_by_role("button", name=name).click(timeout=SOON_MS)

    async def reads(self, words: str) -> None:
        await expect(self.web.get_by_text(words).first).to_be_visible(timeout=SOON_MS)

    async def sets_wallet(self, fen: str) -> None:
        await self.closes_the_page()
        await self.taps_more("wallet")
        await expect(self.phone.locator(f"#wallet-{fen}")).to_be_visible()
        await self.shows("wallet")
        await self.phone.locator(f"#wallet-{fen}").click()

    async def opens_the_code_page(self) -> None:
        await self.taps_more("ride")

    async def at(self, gate: str) -> None:
        """Go to a gate."""
        await self.desk.goto(f"{self.place.gates_url}/")
        if not self._chosen:
            await self.shows_gate("gates")
        self._chosen = True
        await self.desk.get_by_role("link", name=gate).click()
        await expect(self.desk.get_by_text("请出示乘车码")).to_be_visible()

    async def holds_out(self, words: str, *, fresh: bool = True) -> None:
        """Hold the phone against the gate: it sees what is on the screen."""
        code = self.web.locator("canvas")
        await expect(code).to_be_visible(timeout=SOON_MS)
        if fresh:
            before = await code.evaluate(_DRAWN)
            await code.click()

            async def is_another() -> bool:
                return bool(await code.evaluate(_DRAWN) != before)

            await until(is_another, "another code")
        await self.is_seen(code, words)

    async def is_seen(self, code: Locator, words: str) -> None:
        """The gate looks at a part of the screen, and says this."""
        picture = {"name": "code.png", "mimeType": "image/png", "buffer": await code.screenshot()}
        await self.desk.locator("#picture").set_input_files(picture)  # type: ignore[arg-type]
        await expect(self.desk.locator("#words")).to_have_text(words, timeout=SOON_MS)

    async def rides(self, start: str, end: str) -> None:
        await self.at(f"{start} 进站")
        await self.holds_out("请进")
        await self.at(f"{end} 出站")
        await self.holds_out("请出站")

    async def finds_the_last_ride(self, words: str) -> None:
        """In the list, which has to be looked at again until it says so."""
        await self.follows_link("我的行程")
        await self.looks_again(words, "返回乘车码", "我的行程")

    async def looks_again(self, words: str, *links: str) -> None:
        """Leave the page and come back to it until it says so."""
        for _ in range(60):
            if await self.web.get_by_text(words).count():
                break
            for link in links:
                await self.follows_link(link)
        await self.reads(words)

    async def shows(self, name: str) -> None:
        self._shots += 1
        await self.phone.evaluate("() => Promise.all(document.getAnimations().map((each) => each.finished))")
        await self.phone.screenshot(path=self.album / f"ride-story-{self._shots:02}-{name}.png")

    async def shows_gate(self, name: str) -> None:
        self._shots += 1
        await self.desk.screenshot(path=self.album / f"ride-story-{self._shots:02}-{name}-desk.png")


@pytest.fixture
async def rider(place: Place, phone: BrowserContext, chromium: Browser, album: Path) -> AsyncIterator[Rider]:
    desk = await chromium.new_context(viewport=DESK, locale="zh-CN", timezone_id="Asia/Shanghai")
    page = await phone.new_page()
    page.on("pageerror", lambda wrong: pytest.fail(f"the page broke: {wrong}"))
    yield Rider(page, await desk.new_page(), place, album)
    await desk.close()


async def opens(rider: Rider) -> None:
    """To WeChat Pay and back."""
    await rider.opens_the_code_page()
    await rider.reads("还没有开通乘车码")
    await rider.shows("not-opened")
    await rider.follows_link("开通乘车码")
    await rider.reads("我们收集")
    await rider.shows("consent")
    await rider.presses("同意，下一步")
    await rider.reads("请在 10 分钟内办完")
    await rider.shows("to-wechat-pay")
    await rider.follows_link("去微信支付")
    await rider.reads("从哪里扣")
    await rider.shows("wechat-pay")
    await rider.presses("同意并开通")
    await rider.reads("已开通")
    await rider.shows("wechat-pay-signed")
    await rider.follows_link("返回商家")
    await rider.reads("可以乘车了")
    await rider.shows("opened")
    await rider.follows_link("打开乘车码")


async def rides_and_pays(rider: Rider) -> None:
    """The second gate is reached where the phone has no network."""
    await rider.at("2号线 中南路 进站")
    await rider.holds_out("请进")
    await rider.shows("code")
    await rider.shows_gate("in")
    await rider.holds_out("重复使用，请刷新", fresh=False)
    await rider.shows_gate("used")
    await rider.at("2号线 光谷广场 出站")
    await rider.phone.context.set_offline(True)
    await rider.holds_out("请出站")
    await rider.phone.context.set_offline(False)
    await rider.finds_the_last_ride("已付")
    await rider.reads("中南路 → 光谷广场")
    await rider.reads("4 元")
    await rider.shows("paid")


async def comes_out_although_behind(rider: Rider) -> None:
    """The ride before could not be debited while she was underground: her code opens ways out alone."""
    await rider.at("2号线 洪山广场 进站")
    await rider.holds_out("请进")
    await rider.finds_the_last_ride("没有付")
    await rider.follows_link("返回乘车码")
    await rider.reads("这个码只能出站用")
    await rider.shows("way-out")
    await rider.at("2号线 光谷广场 进站")
    await rider.holds_out("这个码只能出站用，请看手机")
    await rider.at("2号线 汉阳门 出站")
    await rider.holds_out("请出站")
    await rider.follows_link("我的行程")
    await rider.follows_link("返回乘车码")
    await rider.looks_again("有车费没有付", "我的行程", "返回乘车码")
    await rider.follows_link("我的行程")


async def falls_behind(rider: Rider) -> None:
    """The wallet is empty; no new code is given, and asking WeChat Pay again changes nothing."""
    await rider.sets_wallet("0")
    await expect(rider.phone.locator("#log")).to_contain_text("扣费凭证")
    await rider.shows("bill-in-chat")
    await rider.opens_the_code_page()
    await rider.rides("2号线 光谷广场", "2号线 洪山广场")
    await comes_out_although_behind(rider)
    await rider.shows("behind")
    await rider.follows_link("返回乘车码")
    await rider.reads("有车费没有付")
    await expect(rider.web.locator("canvas")).to_have_count(0)
    await rider.shows("no-new-code")
    await rider.follows_link("去付车费")
    await rider.presses("现在付款")
    await rider.reads("刚才没有扣成")
    await rider.shows("still-behind")


async def pays(rider: Rider) -> None:
    await rider.sets_wallet("50")
    await rider.opens_the_code_page()
    await rider.follows_link("去付车费")
    await rider.presses("现在付款")
    await rider.reads("已经付清")
    await rider.shows("paid-up")
    await rider.follows_link("打开乘车码")


async def shows_a_picture(rider: Rider) -> None:
    """What a phone does that cannot make codes; found from 我的, in large type."""
    await rider.follows_link("我的")
    await rider.reads("您已登录")
    await rider.shows("mine")
    await rider.follows_link("乘车码")
    await rider.follows_link("字太小？换大字")
    await expect(rider.web.locator("html.large")).to_be_attached(timeout=SOON_MS)
    await expect(rider.web.locator("canvas")).to_be_visible(timeout=SOON_MS)
    await rider.shows("code-large")
    await rider.follows_link("图片码")
    await rider.presses("出一张图片码")
    await rider.reads("只能刷一次")
    await rider.shows("picture-large")
    await rider.at("2号线 汉阳门 进站")
    await rider.is_seen(rider.web.locator("section img"), "请进")


async def looks_on_a_desk(rider: Rider, chromium: Browser) -> None:
    """The same pages in a browser on a desk, for who shows them to somebody; the phone page beside it."""
    state = await rider.phone.context.storage_state()
    context = await chromium.new_context(viewport=DESK, locale="zh-CN", storage_state=state)
    rider.desk = await context.new_page()
    await rider.desk.goto(f"{rider.place.url}/transit")
    await expect(rider.desk.locator("canvas")).to_be_visible(timeout=SOON_MS)
    await rider.shows_gate("code")
    await rider.desk.goto(f"{rider.place.url}/transit/trips")
    await rider.shows_gate("trips")
    await rider.desk.goto(f"{rider.place.phone_url}/phone")
    await expect(rider.desk.locator("#gates")).to_have_attribute("href", f"{rider.place.gates_url}/")
    await rider.desk.locator("#to-keyboard").click()
    await rider.desk.locator("#more").click()
    await rider.shows_gate("phone")
    await context.close()


async def test_opens_rides_is_debited_falls_behind_pays_and_rides_again(
    rider: Rider, chromium: Browser
) -> None:
    await rider.follows()
    await opens(rider)
    await rides_and_pays(rider)
    await falls_behind(rider)
    await pays(rider)
    await rider.at("15路 上车")
    await rider.holds_out("请上车")
    await shows_a_picture(rider)
    await looks_on_a_desk(rider, chromium)
