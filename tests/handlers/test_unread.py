"""未读: what was kept is shown one at a time, with what a digit means to it."""

from datetime import timedelta

import pytest

from core.delivery.lanes import Lane
from core.delivery.letters import Letter, letters
from core.delivery.outbox import Entry, queue
from tests.support.talk import Talk

OPTIONS = (("got", "收到"), ("call", "请联系我"))


async def kept(talk: Talk, text: str, **more: object) -> None:
    """Let a message wait for this citizen."""
    db, now = talk.ground.db, talk.ground.clock.now()
    until = await db.fetchval("SELECT now() + interval '1 day'")
    key = f"news:{text}"
    expires = int(until.timestamp()) if "options" in more else 0
    letter = Letter(title="停水通知", text=text, expires=expires, **more)  # type: ignore[arg-type]
    async with db.transaction() as tx:
        sealed = letters.pack(letter, talk.ground.seal, key)
        entry = Entry(key, talk.conversation, sealed, "news", Lane.PERSONAL, now, until, hold="kept")
        await queue(tx, entry)


@pytest.mark.parametrize("word", ["未读", "未读消息", "看未读", "查看未读"])
async def test_kept_messages_come_one_at_a_time(talk: Talk, word: str) -> None:
    await kept(talk, "周三上午停水。")
    await kept(talk, "电梯修好了。", url="http://city.example/n/2")
    assert await talk.says(word) == "周三上午停水。\n—— 还有 1 条，再回复“未读”看下一条"
    assert await talk.repeats() == "周三上午停水。\n—— 还有 1 条，再回复“未读”看下一条"
    assert await talk.says(word) == (
        '电梯修好了。\n<a href="http://city.example/n/2">查看详情</a>\n—— 都看完了'
    )
    assert await talk.says(word) == "没有未读的消息。"


async def test_one_that_may_be_answered_shows_its_lines_and_waits(talk: Talk) -> None:
    await kept(talk, "周三上午停水。", options=OPTIONS, about="N1")
    assert await talk.says("未读") == "周三上午停水。\n1、收到\n2、请联系我\n—— 都看完了"
    talk.later(seconds=1)
    assert await talk.ground.db.fetchval("SELECT count(*) FROM prompts") == 1


async def test_in_the_middle_of_something_it_is_shown_and_the_question_comes_again(talk: Talk) -> None:
    await kept(talk, "周三上午停水。")
    await talk.says("人工")
    heard = await talk.says("未读")
    assert heard.startswith("周三上午停水。\n—— 都看完了\n\n—— 接着办刚才的“人工”：")


async def test_what_is_too_late_is_not_shown(talk: Talk) -> None:
    await kept(talk, "周三上午停水。")
    await talk.ground.db.execute("UPDATE outbox SET valid_until = now() - $1::interval", timedelta(seconds=1))
    assert await talk.says("未读") == "没有未读的消息。"
