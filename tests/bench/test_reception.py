"""The reception bench sends what its bot understands."""

from bench.reception.waits import Slow
from bench.webhook.corpus import Message, signed
from bench.webhook.plan import Plan
from bench.webhook.programs.bot import router


def test_a_slow_message_is_one_that_the_bot_takes_its_time_for() -> None:
    words = {word for route in router.routes() for word in route.words}
    assert Slow(1, 2).text.split()[0] in words
    assert Message(1, 2).text.split()[0] in words


def test_a_slow_message_is_signed_like_any_other() -> None:
    plan = Plan("redis", "database", "folder")
    query, body = signed(plan, Slow(7, 1))
    assert "msg_signature=" in query
    assert b"<Encrypt>" in body
