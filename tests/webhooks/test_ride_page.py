"""The page with the ride code, on a phone: what it shows is what a gate lets through."""

import base64
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.async_api import BrowserContext, Page, Route, expect

from gate.code import Grant, Grounds, IssuerKey, Reason, Refused, Type, UsedKey, grant, unarmour, verify
from tests.support.wording import TEMPLATES
from webhooks.assets import FOLDER
from webhooks.pages import pages

_QR = zxingcpp.barcode_formats_from_str("QRCode")  # a screenshot may look like bars, too

pytestmark = pytest.mark.browser
HERE = "https://city.example"
START = 1_795_500_000
KID = 7
CODE_S = 20
SLOW_START_S = 12.0  # with the machine busy with other tests
_STAYS = """() => new Promise((done) => {
    const code = document.querySelector("canvas");
    const first = code.toDataURL(), began = performance.now();
    const looking = setInterval(() => {
        if (code.toDataURL() === first) return;
        clearInterval(looking);
        done(performance.now() - began);
    }, 200);
})"""
OFF_S = 90  # the phone's clock is slow by so much


@dataclass
class Server:
    """The city's side: grants for whatever key asks, as long as it is there and wants to."""

    issuer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    asked: list[dict[str, str]] = field(default_factory=list)
    lasts_s: int = 900
    gone: bool = False
    refusal: str = ""
    why: str = "transit_in_arrears"
    lets: Type = Type.SELF
    now: float = START

    async def answer(self, route: Route) -> None:
        way = urlsplit(route.request.url).path
        if self.gone:
            await route.abort("internetdisconnected")
        elif way == "/transit":
            await route.fulfill(body=self.page(), content_type="text/html; charset=utf-8")
        elif way == "/transit/grant":
            await self.granted(route)
        else:
            await route.fulfill(path=FOLDER / Path(way).name, content_type="text/javascript")

    def page(self) -> str:
        facts = {
            "grant_at": "/transit/grant",
            "way": {
                name: f"/transit/{name}" for name in ("code", "open", "close", "pay", "picture", "trips")
            },
            "home": "/me",
            "script": "/assets/ride-page.js",
            "companions": True,
            "csrf": "c",
            "large": False,
            "here": "/transit",
        }
        return pages(TEMPLATES).get_template("ride.html").render(facts)

    async def granted(self, route: Route) -> None:
        form = {key: values[0] for key, values in parse_qs(route.request.post_data or "").items()}
        self.asked.append(form)
        if self.refusal:
            await route.fulfill(status=409, json={"words": self.refusal, "what": self.why})
            return
        key = base64.urlsafe_b64decode(form["key"] + "=")
        now = int(self.now)
        ride_type = Type.COMPANION if form["type"] == "companion" else self.lets
        content = Grant(KID, b"r" * 16, ride_type, 900, key, now + self.lasts_s, 30)
        signed = base64.urlsafe_b64encode(grant(content, self.issuer.sign)).decode().rstrip("=")
        body: dict[str, object] = {"grant": signed, "expires": now + self.lasts_s, "now": self.now}
        if ride_type is Type.WAY_OUT:
            body |= {"words": "您有 1 笔车费没有付，一共 4 元。", "what": self.why}
        await route.fulfill(body=msgspec.json.encode(body), content_type="application/json")


@dataclass
class Ride:
    """A rider with the page open, and a gate."""

    page: Page
    server: Server
    used: set[UsedKey] = field(default_factory=set)

    async def text(self) -> str:
        """What a scanner reads off the screen."""
        shot = await self.page.locator("canvas").screenshot()
        (read,) = zxingcpp.read_barcodes(await self._pixels(shot), formats=_QR)
        return str(read.text)

    async def _pixels(self, png: bytes) -> memoryview:
        """The grey of each point; the browser itself decodes its screenshot."""
        decode = """async (png) => {
            const picture = await createImageBitmap(await (await fetch(png)).blob());
            const board = new OffscreenCanvas(picture.width, picture.height);
            const ink = board.getContext("2d");
            ink.drawImage(picture, 0, 0);
            const points = ink.getImageData(0, 0, picture.width, picture.height).data;
            let red = "";
            for (let at = 0; at < points.length; at += 4) red += String.fromCharCode(points[at]);
            return [picture.width, picture.height, btoa(red)];
        }"""
        address = "data:image/png;base64," + base64.b64encode(png).decode()
        width, height, red = await self.page.evaluate(decode, address)
        return memoryview(base64.b64decode(red)).cast("B", shape=[height, width])

    async def held(self, text: str) -> str:
        """Hold a code against the gate."""
        trust = {KID: IssuerKey(self.server.issuer.public_key())}
        try:
            code = verify(unarmour(text), Grounds(trust, self.used, ()), int(self.server.now))
        except Refused as refused:
            return refused.reason.value
        self.used.add(code.used_key)
        return "open"

    async def goes_on(self, seconds: int) -> None:
        """So much time passes, for the phone and for everybody else."""
        for _ in range(seconds):
            self.server.now += 1
            await self.page.clock.run_for(1000)

    async def another(self, before: str) -> str:
        """The code that follows this one on the screen."""
        for _ in range(50):
            if (text := await self.text()) != before:
                return text
        raise AssertionError("the code stays as it is")


@pytest.fixture
async def ride(phone: BrowserContext) -> Ride:
    """The page is open; time passes when the test says so."""
    server = Server()
    page = await phone.new_page()
    await page.route(f"{HERE}/**", server.answer)
    await page.clock.install(time=START - OFF_S)
    await page.goto(f"{HERE}/transit")
    await expect(page.locator("canvas")).to_be_visible()
    await page.clock.pause_at(START - OFF_S + 60)
    server.now = START + 60
    ride = Ride(page, server)
    await ride.goes_on(21)
    return ride


async def test_what_is_on_the_screen_opens_the_gate_once(ride: Ride) -> None:
    text = await ride.text()
    assert await ride.held(text) == "open"
    assert await ride.held(text) == Reason.USED


async def test_every_twenty_seconds_there_is_another(ride: Ride) -> None:
    first = await ride.text()
    await ride.goes_on(21)
    second = await ride.another(first)
    assert await ride.held(second) == "open"
    await ride.goes_on(61)
    assert await ride.held(second) == Reason.EXPIRED, "a picture of it is worth nothing"


async def test_the_clock_of_the_phone_does_not_matter(ride: Ride) -> None:
    code = unarmour(await ride.text())
    made = verify(
        code, Grounds({KID: IssuerKey(ride.server.issuer.public_key())}, (), ()), int(ride.server.now)
    )
    assert abs(made.gen_time - ride.server.now) <= 21


async def test_without_a_network_it_goes_on_until_the_grant_ends(ride: Ride, album: Path) -> None:
    ride.server.gone = True
    before = await ride.text()
    await ride.goes_on(400)
    late = await ride.another(before)
    assert await ride.held(late) == "open"
    await expect(ride.page.get_by_text("现在没有网络，这个码还能用约")).to_be_visible()
    await ride.page.screenshot(path=album / "ride-alone.png")
    await ride.goes_on(500)
    await expect(ride.page.get_by_text("连上后这里会自动出码")).to_be_visible()
    await ride.page.screenshot(path=album / "ride-over.png")
    ride.server.gone = False
    await ride.goes_on(11)
    await expect(ride.page.locator("canvas")).to_be_visible()
    await ride.goes_on(21)
    assert await ride.held(await ride.text()) == "open"


async def test_the_grant_is_renewed_after_five_minutes(ride: Ride) -> None:
    assert len(ride.server.asked) == 1
    await ride.goes_on(301)
    assert len(ride.server.asked) == 2
    keys = {each["key"] for each in ride.server.asked}
    assert len(keys) == 1, "one key as long as the page is open"


async def test_what_is_refused_is_said(ride: Ride, album: Path) -> None:
    ride.server.refusal = "您有 1 笔车费没有付，付清后就能乘车。"
    await ride.goes_on(301)
    await expect(ride.page.get_by_text("您有 1 笔车费没有付")).to_be_visible()
    await expect(ride.page.locator("canvas")).to_be_hidden()
    await expect(ride.page.get_by_role("link", name="去付车费")).to_be_visible()
    await ride.page.screenshot(path=album / "ride-refused.png")


async def test_who_falls_behind_underground_reads_that_the_code_is_for_the_way_out(
    ride: Ride, album: Path
) -> None:
    await expect(ride.page.get_by_text("这个码只能出站用")).to_be_hidden()
    ride.server.lets = Type.WAY_OUT
    own = await ride.text()
    await ride.goes_on(301)
    await expect(ride.page.get_by_text("这个码只能出站用")).to_be_visible()
    await expect(ride.page.get_by_text("您有 1 笔车费没有付")).to_be_visible()
    await expect(ride.page.get_by_role("link", name="去付车费")).to_be_visible()
    await expect(ride.page.get_by_role("button", name="带一人")).to_be_hidden()
    assert unarmour(await ride.another(own))[21] == Type.WAY_OUT
    await ride.page.screenshot(path=album / "ride-way-out.png")
    ride.server.lets = Type.SELF
    await ride.goes_on(301)
    await expect(ride.page.get_by_text("这个码只能出站用")).to_be_hidden()


async def test_a_companion_gets_a_code_of_their_own(ride: Ride, album: Path) -> None:
    own = await ride.text()
    await ride.page.screenshot(path=album / "ride-code.png")
    await ride.page.get_by_role("button", name="带一人").click()
    await expect(ride.page.get_by_text("同行人的码")).to_be_visible()
    assert unarmour(await ride.another(own))[21] == Type.COMPANION
    await ride.page.screenshot(path=album / "ride-companion.png")
    await ride.page.get_by_role("button", name="换回我的码").click()
    await expect(ride.page.get_by_text("同行人的码")).to_be_hidden()


async def test_a_companion_who_is_refused_leaves_ones_own_code_as_it_is(ride: Ride) -> None:
    ride.server.refusal, ride.server.why = "请过 3 秒再试。", "transit_too_soon"
    before = await ride.text()
    await ride.page.get_by_role("button", name="带一人").click()
    await expect(ride.page.get_by_text("请过 3 秒再试")).to_be_visible()
    assert await ride.text() == before
    await ride.goes_on(21)
    await expect(ride.page.get_by_text("请过 3 秒再试")).to_be_hidden()
    assert await ride.held(await ride.another(before)) == "open"


async def test_after_a_companions_time_ones_own_code_comes_back_without_a_network(ride: Ride) -> None:
    ride.server.lasts_s = 90
    own = await ride.text()
    await ride.page.get_by_role("button", name="带一人").click()
    await expect(ride.page.get_by_text("同行人的码")).to_be_visible()
    await ride.another(own)
    ride.server.gone = True
    await ride.goes_on(91)
    await expect(ride.page.get_by_text("同行人的码")).to_be_hidden()
    code = unarmour(await ride.text())
    assert code[21] == Type.SELF
    assert await ride.held(await ride.text()) == "open"


async def test_a_tap_on_the_code_makes_another_for_a_gate_that_asks_for_it(ride: Ride) -> None:
    used = await ride.text()
    assert await ride.held(used) == "open"
    await ride.page.locator("canvas").click()
    assert await ride.held(await ride.another(used)) == "open"


async def test_on_a_slow_phone_the_code_comes_and_goes_in_time(phone: BrowserContext) -> None:
    server = Server()
    page = await phone.new_page()
    await page.route(f"{HERE}/**", server.answer)
    tools = await phone.new_cdp_session(page)
    await tools.send("Emulation.setCPUThrottlingRate", {"rate": 6})
    began = time.monotonic()
    await page.goto(f"{HERE}/transit")
    await expect(page.locator("canvas")).to_be_visible(timeout=15_000)
    assert time.monotonic() - began < SLOW_START_S
    stays_s = await page.evaluate(_STAYS) / 1000
    server.now += stays_s + 1
    assert CODE_S - 3 < stays_s < CODE_S + 3, "a code is good for ten seconds more"
    assert await Ride(page, server).held(await Ride(page, server).text()) == "open"


async def test_the_key_never_leaves_the_page(ride: Ride) -> None:
    (asked,) = ride.server.asked
    assert re.fullmatch(r"[A-Za-z0-9_-]{44}", asked["key"])
    taken = """async () => {
        const { newKey } = await import("/assets/ride-code.js");
        return crypto.subtle.exportKey("pkcs8", (await newKey()).privateKey);
    }"""
    with pytest.raises(Exception, match="not extractable"):
        await ride.page.evaluate(taken)


async def test_a_phone_without_scripts_is_led_to_the_picture(phone: BrowserContext) -> None:
    quiet = await phone.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    page = await quiet.new_page()
    await page.route(f"{HERE}/**", Server().answer)
    await page.goto(f"{HERE}/transit")
    await expect(page.get_by_text("请点下面的“图片码”")).to_be_visible()
    await quiet.close()


async def test_a_phone_that_can_make_no_keys_is_led_to_the_picture(phone: BrowserContext) -> None:
    """As over http, where browsers have no WebCrypto."""
    page = await phone.new_page()
    server = Server()
    await page.route("http://city.example/**", server.answer)
    await page.goto("http://city.example/transit")
    await expect(page.get_by_text("请点下面的“图片码”")).to_be_visible()
    assert server.asked == []
