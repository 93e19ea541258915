"""Every rule of the door is kept, and whoever breaks one is noticed: a talk for each, with its mistake."""

import ast
import inspect

import pytest

from core.stores.redis import Redis
from tests.webhooks.house import Edit, House, Mutant
from tests.webhooks.mutants_events import IDS, UNDERSTANDING
from tests.webhooks.mutants_reading import ANSWERING, BINDING, READING
from tests.webhooks.mutants_signing import FRESH, KEYS, MODES_AND_SIGNATURES
from webhooks import wechat_envelope

MUTANTS = MODES_AND_SIGNATURES + KEYS + FRESH + BINDING + READING + UNDERSTANDING + IDS + ANSWERING


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.rule)
async def test_a_rule_is_kept_and_its_mistake_is_noticed(redis: Redis, mutant: Mutant) -> None:
    async with House(None, redis).opened() as house:
        assert await mutant.talk(house) == mutant.right
    await redis.client.flushall()
    async with House(mutant.edit, redis).opened() as house:
        assert await mutant.talk(house) == mutant.wrong
    assert mutant.right != mutant.wrong


def _comparisons(source: str) -> tuple[int, list[str]]:
    """How often secrets are compared in constant time, and which comparisons a stranger could measure."""
    tree = ast.walk(ast.parse(source))
    secret = {"given", "sign", "token", "tokens", "_tokens"}
    plain = []
    constant = 0
    for node in tree:
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "hmac.compare_digest":
            constant += 1
        if isinstance(node, ast.Compare):
            named = {ast.unparse(each) for each in ast.walk(node) if isinstance(each, ast.Name)}
            plain += [ast.unparse(node)] if named & secret else []
    return constant, plain


def test_signatures_are_compared_in_constant_time() -> None:
    """A measurement would tell it from chance only now and then: so the source is read."""
    source = inspect.getsource(wechat_envelope)
    assert _comparisons(source) == (1, [])
    call = "hmac.compare_digest(sign(token, timestamp, nonce, *signed).encode(), given)"
    edited = Edit("", call, "sign(token, timestamp, nonce, *signed).encode() == given").of(source)
    assert _comparisons(edited) == (0, ["sign(token, timestamp, nonce, *signed).encode() == given"])
