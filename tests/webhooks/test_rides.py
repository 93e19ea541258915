"""The pages of ride codes: opening, codes, pictures, rides, arrears, closing; readable without scripts."""

import base64
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
import zxingcpp

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from gate.code import Grounds, IssuerKey, Refused, Type, device_code, device_signer, verify
from services.citizens.consent_texts import TRANSIT
from services.payments.errors import NotSigned
from services.transit import accounts_store
from services.transit.accounts_store import Step
from services.transit.issuer import IssuerGone
from services.transit.listing import Ride
from tests.support.ride_codes import PHONE, public
from tests.webhooks.logging_in import GRANDMA, GRANDPA, Browser, Page
from tests.webhooks.riders import PAY_PAGE, Riders, fields
from webhooks.assets import Assets
from webhooks.qr import as_image

LARGEST = 60 * 1024
KEY = base64.urlsafe_b64encode(public(PHONE)).decode().rstrip("=")
PLAIN = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)


@pytest.fixture
async def riders(db: Database, seal: Seal, clock: ManualClock) -> AsyncIterator[Riders]:
    riders = Riders(db, seal, clock)
    async with riders.house.client:
        yield riders


async def asks(browser: Browser, csrf: str, **wish: str) -> tuple[int, dict[str, Any]]:
    """What the page's script is answered."""
    page = await browser.sends("/transit/grant", **({"csrf": csrf, "key": KEY, "type": "self"} | wish))
    return page.status, msgspec.json.decode(page.text)


def csrf_of(page: Page) -> str:
    found = re.search('data-csrf="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


async def test_who_is_not_logged_in_is_led_to_the_login(riders: Riders) -> None:
    for way in ("", "/open", "/picture", "/trips", "/pay", "/close"):
        page = await riders.house.browser().gets(f"/transit{way}")
        assert (page.status, page.to[:23]) == (303, "https://wechat.example/"), way
    for way in ("/grant", "/open", "/picture", "/pay", "/close"):
        assert (await riders.house.browser().sends(f"/transit{way}")).status == 401, way


async def test_each_page_is_small_and_only_the_code_page_has_scripts(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    await riders.rides(citizen)
    for way in ("/open", "/picture", "/trips", "/pay", "/close"):
        page = await browser.gets(f"/transit{way}")
        assert (page.status, page.headers["Content-Security-Policy"]) == (200, PLAIN), way
        assert "<script" not in page.text
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert len(page.text.encode()) < LARGEST
    page = await browser.gets("/transit")
    assert "script-src 'self'; connect-src 'self'; " in page.headers["Content-Security-Policy"]
    scripts = [
        await browser.gets(Assets().address(name)) for name in ("ride-page.js", "ride-code.js", "qr.js")
    ]
    assert {each.headers["Cache-Control"] for each in scripts} == {"public, max-age=31536000, immutable"}
    assert Assets().address("ride-page.js") in page.text
    assert sum(len(each.text.encode()) for each in (page, *scripts)) < LARGEST


async def test_opening_asks_first_and_leads_to_wechat_pay_which_comes_back(riders: Riders) -> None:
    browser = await riders.house.logged_in()
    citizen = await riders.citizen()
    assert "还没有开通乘车码" in (await browser.gets("/transit")).text
    asked = await browser.gets("/transit/open")
    text = riders.consents.texts.current(TRANSIT)
    assert text.whole.splitlines()[-1] in asked.text
    assert (await riders.consents.state(citizen, TRANSIT)).state == "asked"
    leads = await browser.sends("/transit/open", **fields(asked, "csrf", "version"), do="agree")
    assert (await riders.consents.state(citizen, TRANSIT)).is_granted
    assert f'href="{PAY_PAGE}"' in leads.text
    assert '<meta name="referrer" content="no-referrer-when-downgrade">' in leads.text
    assert leads.headers["Referrer-Policy"] == "no-referrer-when-downgrade"
    assert "还差一步" in (await browser.gets("/transit")).text
    back = await browser.gets("/transit/open?from_wxpay=1")
    assert "正在等微信支付的结果" in back.text
    assert "url=/transit/open?from_wxpay=1&amp;n=1" in back.text
    assert "http-equiv" not in (await browser.gets("/transit/open?from_wxpay=1&n=12")).text, "not for ever"
    await riders.riding.signs(citizen)
    assert "可以乘车了" in (await browser.gets("/transit/open?from_wxpay=1")).text


async def test_who_comes_back_without_having_signed_goes_there_again(riders: Riders) -> None:
    browser = await riders.house.logged_in()
    await riders.agrees(browser)
    asked = await browser.gets("/transit/open")
    assert "去微信支付开通" in asked.text
    assert "我们收集" not in asked.text, "agreed to already"
    again = await browser.sends("/transit/open", **fields(asked, "csrf", "version"), do="agree")
    assert PAY_PAGE in again.text


async def test_who_does_not_agree_is_asked_anew_another_time(riders: Riders) -> None:
    browser = await riders.house.logged_in()
    citizen = await riders.citizen()
    for _ in range(2):
        riders.house.passes(minutes=1)
        asked = await browser.gets("/transit/open")
        no = await browser.sends("/transit/open", **fields(asked, "csrf", "version"), do="refuse")
        assert no.to == "/transit?did=refuse"
        assert (await riders.consents.state(citizen, TRANSIT)).state == "refused"
    assert "好的，没有开通" in (await browser.gets(no.to)).text
    riders.house.passes(minutes=1)
    await riders.agrees(browser)
    assert (await riders.consents.state(citizen, TRANSIT)).is_granted


async def test_an_answer_to_another_text_is_none(riders: Riders) -> None:
    browser = await riders.house.logged_in()
    asked = await browser.gets("/transit/open")
    old = await browser.sends("/transit/open", csrf=asked.field("csrf"), version="7", do="agree")
    assert old.to == "/transit/open"
    assert not (await riders.consents.state(await riders.citizen(), TRANSIT)).is_granted


async def test_who_took_the_consent_back_is_asked_before_the_next_code(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    shown = await browser.gets(f"/me/consent?purpose={TRANSIT}&person=")
    assert "不再给您乘车码" in shown.text
    await browser.sends("/me/consent", purpose=TRANSIT, person="", csrf=shown.field("csrf"))
    assert (await browser.gets("/transit")).to == "/transit/open"
    riders.house.passes(minutes=1)
    assert (await riders.agrees(browser)).to == "/transit"
    assert (await riders.consents.state(citizen, TRANSIT)).is_granted
    assert "data-board" in (await browser.gets("/transit")).text


async def test_the_grant_makes_codes_that_gates_let_through(riders: Riders) -> None:
    browser = await riders.opens()
    status, told = await asks(browser, csrf_of(await browser.gets("/transit")))
    assert status == 200
    now = int(riders.clock.timestamp())
    assert (told["now"], told["expires"]) == (now, now + 900)
    signed = base64.urlsafe_b64decode(told["grant"] + "==")
    code = device_code(signed, now, b"n" * 8, device_signer(PHONE))
    grounds = Grounds({0: IssuerKey(riders.riding.issuer.key.public_key())}, (), ())
    assert verify(code, grounds, now).gen_time == now
    with pytest.raises(Refused):
        verify(device_code(signed, now + 960, b"n" * 8, device_signer(PHONE)), grounds, now + 960)


@pytest.mark.parametrize("key", ["", "?", "A" * 43, "A" * 45, "小" * 44])
async def test_what_is_no_key_gets_no_grant(riders: Riders, key: str) -> None:
    browser = await riders.opens()
    status, told = await asks(browser, csrf_of(await browser.gets("/transit")), key=key)
    assert (status, told["what"]) == (400, "no_key")


async def test_the_script_is_told_why_not_in_words(riders: Riders) -> None:
    browser = await riders.opens()
    csrf = csrf_of(await browser.gets("/transit"))
    await asks(browser, csrf)
    status, told = await asks(browser, csrf, type="companion")
    assert (status, told["words"]) == (409, "请过 3 秒再试。")
    await riders.cannot_be_debited(await riders.rides(await riders.citizen()))
    status, told = await asks(browser, csrf)
    assert (status, told["what"]) == (409, "transit_in_arrears")
    assert "您有 1 笔车费没有付，一共 4 元。" in told["words"]


async def test_who_fell_behind_underground_was_shown_no_code(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    payment = await riders.rides(citizen)
    await riders.goes_in(citizen)
    await riders.cannot_be_debited(payment)
    page = await browser.gets("/transit")
    assert "data-board" in page.text
    status, told = await asks(browser, csrf_of(page))
    assert (status, told["what"]) == (200, "transit_in_arrears")
    assert base64.urlsafe_b64decode(told["grant"] + "==")[21] == Type.WAY_OUT
    picture = await browser.gets("/transit/picture")
    made = await browser.sends("/transit/picture", csrf=picture.field("csrf"))
    assert "这张码只能出站用" in made.text
    await riders.leaves(citizen)
    assert "有车费没有付" in (await browser.gets("/transit")).text


async def test_an_issuer_that_is_away_is_asked_again_by_the_script(riders: Riders) -> None:
    browser = await riders.opens()
    csrf = csrf_of(await browser.gets("/transit"))

    async def nobody(_content: object) -> bytes:
        raise IssuerGone(why="gone")

    riders.riding.issuer.grant = nobody  # type: ignore[method-assign,assignment]
    status, told = await asks(browser, csrf)
    assert (status, told["what"]) == (503, "issuer_gone")


async def test_another_pages_form_gets_neither_grant_nor_picture(riders: Riders) -> None:
    browser = await riders.opens()
    for way in ("/grant", "/picture", "/pay", "/close", "/open"):
        assert (await browser.sends(f"/transit{way}", csrf="x", key=KEY)).status == 403, way


async def test_pictures_are_few_and_looking_makes_none(riders: Riders) -> None:
    browser = await riders.opens()
    for _ in range(3):
        before = await browser.gets("/transit/picture")
    assert "每天最多出 5 张" in before.text
    for left in (4, 3, 2, 1, 0):
        page = await browser.sends("/transit/picture", csrf=before.field("csrf"))
        assert f"今天还能出 {left} 张" in page.text
    assert "09:02:00 前有效" in page.text
    assert "data:image/svg+xml;base64," in page.text
    refused = await browser.sends("/transit/picture", csrf=before.field("csrf"))
    assert (refused.status, refused.title) == (409, "没有办成")
    assert "图片码今天已经做了 5 张" in refused.text


def test_the_picture_reads_as_what_it_says() -> None:
    drawn = base64.b64decode(as_image("BIANMIN 便民").partition(",")[2]).decode()
    side = int(re.search(r'width="(\d+)"', drawn)[1])  # type: ignore[index]
    dots = bytearray(b"\xff" * side * side)
    for x, y, wide, high in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", drawn):
        for row in range(int(y), int(y) + int(high)):
            start = row * side + int(x)
            dots[start : start + int(wide)] = bytes(int(wide))
    (read,) = zxingcpp.read_barcodes(memoryview(bytes(dots)).cast("B", shape=[side, side]))
    assert read.text == "BIANMIN 便民"


async def test_rides_are_listed_page_by_page_and_nobody_elses(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    assert "还没有行程" in (await browser.gets("/transit/trips")).text
    for number in range(11):
        await riders.rides(citizen, 31 * (number + 1))
    shown = await browser.gets("/transit/trips")
    assert shown.text.count("中南路 → 光谷广场") == 10
    assert "2号线" in shown.text
    assert "待扣款" in shown.text
    (earlier,) = re.findall(r'href="(/transit/trips\?before=\d+)"', shown.text)
    assert (await browser.gets(earlier)).text.count("中南路 → 光谷广场") == 1
    other = await riders.opens(GRANDPA)
    assert "中南路" not in (await other.gets("/transit/trips")).text
    for odd in ("x", "-1", "1" * 30, "１２"):
        assert (await browser.gets(f"/transit/trips?before={odd}")).status == 200


async def test_what_is_behind_is_paid_and_the_page_says_only_what_is_known(riders: Riders) -> None:
    browser = await riders.opens()
    payment = await riders.rides(await riders.citizen())
    assert "没有欠车费" in (await browser.gets("/transit/pay")).text
    await riders.cannot_be_debited(payment)
    stands = await browser.gets("/transit")
    assert stands.title == "有车费没有付"
    assert "您有 1 笔车费没有付，一共 4 元" in stands.text
    owed = await browser.gets("/transit/pay")
    assert "中南路 → 光谷广场" in owed.text
    tried = await browser.sends("/transit/pay", csrf=owed.field("csrf"))
    assert (tried.status, tried.to) == (303, "/transit/pay?did=pay")
    assert riders.bank.tried == [payment]
    waits = await browser.gets(tried.to)
    assert "正在扣款，还没有结果" in waits.text
    assert "url=/transit/pay?did=pay&amp;n=1" in waits.text
    await riders.cannot_be_debited(payment)
    assert "刚才没有扣成" in (await browser.gets(tried.to)).text
    await browser.sends("/transit/pay", csrf=owed.field("csrf"))
    await riders.is_debited(payment)
    paid = await browser.gets(tried.to)
    assert "已经付清" in paid.text
    assert "data-board" in (await browser.gets("/transit")).text


async def test_what_was_paid_while_its_page_was_made_was_said_to_have_failed(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    payment = await riders.rides(citizen)
    await riders.cannot_be_debited(payment)
    owed = await browser.gets("/transit/pay")
    tried = await browser.sends("/transit/pay", csrf=owed.field("csrf"))
    behind = riders.transit.behind

    async def paid_just_then(citizen: str) -> list[Ride]:
        found = await behind(citizen)
        await riders.is_debited(payment)
        return found

    riders.transit.behind = paid_just_then  # type: ignore[method-assign]
    assert "刚才没有扣成" not in (await browser.gets(tried.to)).text
    riders.transit.behind = behind  # type: ignore[method-assign]
    assert "已经付清" in (await browser.gets(tried.to)).text


async def test_who_is_behind_without_a_contract_signs_one_and_comes_back_to_pay(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    await riders.cannot_be_debited(await riders.rides(citizen))
    assert "没有可以扣款" not in (await browser.gets("/transit/open")).text
    await riders.riding.lets_go(citizen)

    async def nobody(_payment: str, _citizen: str) -> None:
        raise NotSigned

    riders.bank.pay_now = nobody  # type: ignore[method-assign,assignment]
    owed = await browser.gets("/transit/pay")
    refused = await browser.sends("/transit/pay", csrf=owed.field("csrf"))
    assert (refused.status, refused.title) == (409, "没有办成")
    assert 'href="/transit/open"' in refused.text
    asked = await browser.gets("/transit/open")
    assert "您有 4 元车费没有付，现在没有可以扣款的免密支付" in asked.text
    leads = await browser.sends("/transit/open", **fields(asked, "csrf", "version"), do="agree")
    assert PAY_PAGE in leads.text
    assert (await browser.gets("/transit/open?from_wxpay=1")).to == "/transit/pay"


async def test_closing_is_asked_once_more_and_said(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen()
    asked = await browser.gets("/transit/close")
    assert asked.title == "要关闭乘车码吗？"
    assert (await riders.transit.account(citizen)).state == "active"
    done = await browser.sends("/transit/close", csrf=asked.field("csrf"))
    assert done.to == "/transit?did=close"
    assert (await riders.transit.account(citizen)).state in {"closing", "none"}
    assert "关闭" in (await browser.gets(done.to)).text


async def test_who_owes_reads_what_comes_before_closing(riders: Riders) -> None:
    browser = await riders.opens()
    await riders.cannot_be_debited(await riders.rides(await riders.citizen()))
    asked = await browser.gets("/transit/close")
    refused = await browser.sends("/transit/close", csrf=asked.field("csrf"))
    assert refused.status == 409
    assert 'href="/transit/pay"' in refused.text


async def test_every_state_has_its_page(riders: Riders) -> None:
    browser = await riders.opens()
    citizen = await riders.citizen(GRANDMA)
    for what, new, words in (
        ("suspended", "suspended", "暂时停用"),
        ("restored", "active", "data-board"),
        ("unsigned", "consent", "还差一步"),
        ("signed", "active", "data-board"),
        ("closing", "closing", "正在关闭"),
    ):
        account = (await riders.transit.account(citizen)).id
        async with riders.db.transaction() as tx:
            assert await accounts_store.step(tx, account, what, new, Step("test", what, riders.clock.now()))
        assert words in (await browser.gets("/transit")).text


async def test_the_type_is_as_large_as_its_reader_wants(riders: Riders) -> None:
    browser = await riders.opens()
    await browser.gets("/type?size=large&next=/transit")
    for way in ("", "/trips", "/pay", "/picture"):
        assert 'class="large"' in (await browser.gets(f"/transit{way}")).text
