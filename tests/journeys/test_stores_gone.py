"""Redis or PostgreSQL goes away under a running gateway: what the phones show, and that it mends itself."""

import asyncio
import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.support.program import ROOT
from tests.support.stores import statement
from tests.support.town import Heard, Town, town
from tests.support.waiting import until

HASTY_CITY = ROOT / "tests" / "support" / "hasty_city.py"
ATTEMPT_S = 2.0  # as the hasty city counts
RETRY_S = 2.2  # a little more patience than WeChat has, for a machine with much else to do
_numbers = itertools.count()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One gateway for all outages of this module."""
    with town(tmp_path_factory.mktemp("gone"), HASTY_CITY, RETRY_S) as opened:
        yield opened
        assert opened.gateway.process.poll() is None, "it never had to be restarted"
        assert "Traceback" not in opened.log


def somebody() -> str:
    return f"o-somebody-{next(_numbers)}"


def outage(town: Town, store: str, how: str) -> tuple[Callable[[], None], Callable[[], None]]:
    """How a store is taken away, and how it is brought back."""
    broken = town.redis if store == "redis" else town.database
    return (broken.kill, broken.start) if how == "killed" else (broken.freeze, broken.thaw)


@pytest.mark.parametrize("how", ["killed", "frozen"])
@pytest.mark.parametrize("store", ["redis", "database"])
async def test_a_store_is_gone_and_comes_back(running: Town, store: str, how: str) -> None:
    in_dialogue, newcomer, late_one = somebody(), somebody(), somebody()
    take_away, bring_back = outage(running, store, how)
    assert "请选择科室" in (await running.says(in_dialogue, "挂号")).words
    take_away()

    stranded = await asyncio.gather(running.says(in_dialogue, "1"), running.says(newcomer, "挂号"))
    for heard in stranded:
        print(heard)
        assert "系统正在抢修" in heard.words
        assert heard.attempts == 3

    before = running.log.count("push_put_off")
    waiting = asyncio.create_task(running.says(late_one, "挂号"))
    await until(lambda: running.log.count("push_put_off") > before, "its first attempt was put off")
    bring_back()
    print(await waiting)
    assert "请选择科室" in waiting.result().words

    again = await asyncio.gather(running.says(in_dialogue, "1"), running.says(newcomer, "挂号"))
    print(again)
    assert "请选择医生" in again[0].words
    assert "请选择科室" in again[1].words
