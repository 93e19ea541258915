"""A reply that was not delivered at once and is collected by a retry has been shown."""

from tests.support.talk import Talk


async def test_a_question_collected_by_a_retry_counts_as_shown(talk: Talk) -> None:
    await talk.says("喝茶")
    await talk.lose_reply()  # the attempt was dropped between the run and its answer
    assert "请选茶" in await talk.repeats()
    assert "没有送到" not in await talk.says("1")


async def test_control_without_the_retry_the_question_is_repeated(talk: Talk) -> None:
    await talk.says("喝茶")
    await talk.lose_reply()
    assert "没有送到" in await talk.says("1")


async def test_a_retry_of_an_older_message_shows_nothing_of_a_newer_question(talk: Talk) -> None:
    await talk.says("喝茶")
    older = talk.last_event
    await talk.says("1")
    await talk.lose_reply()
    await talk.attempt(older)
    assert "没有送到" in await talk.says("1")
