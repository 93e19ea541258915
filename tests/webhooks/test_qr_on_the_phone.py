"""The codes that the phone draws itself, read by a scanner that is not ours."""

import random

import pytest
import zxingcpp
from playwright.async_api import BrowserContext, Route

from webhooks.assets import FOLDER

pytestmark = pytest.mark.browser
LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
LONGEST = 970  # what version 20 holds at level M
_DRAW = """async (texts) => {
    const { qr } = await import("/qr.js");
    return texts.map((text) => qr(text).map((row) => row.map(Number).join("")));
}"""
Rows = list[str]


async def drawn(phone: BrowserContext, texts: list[str]) -> list[Rows]:
    """What the script draws for each text."""
    page = await phone.new_page()
    await page.route("http://phone.test/**", _served)
    await page.goto("http://phone.test/")
    codes: list[Rows] = await page.evaluate(_DRAW, texts)
    return codes


async def _served(route: Route) -> None:
    if route.request.url.endswith("/qr.js"):
        await route.fulfill(path=FOLDER / "qr.js", content_type="text/javascript")
    else:
        await route.fulfill(body="<!doctype html><title>.</title>", content_type="text/html")


def scanned(rows: Rows, scale: int = 3, quiet: int = 4) -> list[str]:
    """What a scanner reads off a code with the quiet margin that the standard asks for."""
    side = (len(rows) + 2 * quiet) * scale
    picture = bytearray(b"\xff" * side * side)
    for y, row in enumerate(rows):
        line = b"".join((b"\x00" if dark == "1" else b"\xff") * scale for dark in row)
        for step in range(scale):
            at = ((y + quiet) * scale + step) * side + quiet * scale
            picture[at : at + len(line)] = line
    image = memoryview(bytes(picture)).cast("B", shape=[side, side])
    return [each.text for each in zxingcpp.read_barcodes(image)]


async def test_every_length_is_read_as_it_was_written(phone: BrowserContext) -> None:
    chance = random.Random(20)
    lengths = [*range(1, 40), *range(40, LONGEST, 31), LONGEST]
    texts = ["".join(chance.choices(LETTERS, k=length)) for length in lengths]

    codes = await drawn(phone, texts)

    assert [scanned(code) for code in codes] == [[text] for text in texts]
    assert {len(code) for code in codes} == {version * 4 + 17 for version in range(1, 21)}


async def test_control_a_spoilt_code_is_not_read(phone: BrowserContext) -> None:
    (code,) = await drawn(phone, ["A" * 300])
    spoilt = [row if y % 2 else row[::-1] for y, row in enumerate(code)]
    assert scanned(spoilt) == []


async def test_a_scratched_code_is_still_read(phone: BrowserContext) -> None:
    (code,) = await drawn(phone, ["B7" * 150])
    middle = len(code) // 2
    scratched = [
        row[:middle] + "111" + row[middle + 3 :] if abs(y - middle) < 8 else row for y, row in enumerate(code)
    ]
    assert scanned(scratched) == ["B7" * 150]


@pytest.mark.parametrize("text", ["小", "a", "A" * (LONGEST + 1)], ids=["no letter", "small", "too long"])
async def test_what_does_not_fit_is_refused(phone: BrowserContext, text: str) -> None:
    page = await phone.new_page()
    await page.route("http://phone.test/**", _served)
    await page.goto("http://phone.test/")
    refused = "async (text) => (await import('/qr.js')).qr(text)"
    with pytest.raises(Exception, match="RangeError"):
        await page.evaluate(refused, text)
