"""Talking on the phone page of the simulator, in a real browser."""

from playwright.async_api import Page, expect


async def say_on(page: Page, suffix: str, words: str, answer: str) -> None:
    """Write on a phone, `suffix` is that of its ids, and wait for one reply more, with these words."""
    replies = page.locator(f'#log{suffix} [data-kind="reply"]')
    before = await replies.count()
    # The menu comes a moment after the page, and takes the place of the line to write on.
    await expect(page.locator(f"#menu{suffix} button").first).to_be_attached()
    if not await page.locator(f"#say{suffix}").is_visible():
        await page.locator(f"#to-keyboard{suffix}").click()
    await page.locator(f"#say{suffix}").fill(words)
    await page.locator(f"#send{suffix}").click()
    await expect(replies).to_have_count(before + 1)
    await expect(replies.last).to_contain_text(answer)
