"""The dialogue that waits for a request: kept sealed, gone on with after the yes, else dropped."""

from datetime import timedelta

import pytest

from services.citizens.errors import NoSuchBinding
from tests.services.citizens.kin import Kin, Person, once
from tests.support.purging import purged

ANSWERS = "心内科 李桂芳 周三上午".encode()


@pytest.fixture
async def waiting(kin: Kin) -> tuple[Person, Person, str]:
    """A son whose 挂号 waits for his mother's yes."""
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    asked = await kin.asks(son, mother)
    assert await kin.proving.keep(asked, son.citizen, ANSWERS, "挂号")
    return son, mother, asked


async def rows(kin: Kin) -> int:
    return int(await kin.db.fetchval("SELECT count(*) FROM kept_dialogues"))


async def test_it_waits_and_goes_on_after_the_yes(kin: Kin, waiting: tuple[Person, Person, str]) -> None:
    son, mother, asked = waiting
    assert [each.kept for each in await kin.families.open_requests(son.citizen)] == ["挂号"]
    await kin.proving.approve(asked, mother.citizen, once())
    assert await kin.proving.kept(asked, son.citizen) == ANSWERS
    await kin.proving.drop(asked, son.citizen, once())
    assert await kin.proving.kept(asked, son.citizen) is None
    assert await rows(kin) == 0


async def test_it_is_sealed(kin: Kin, waiting: tuple[Person, Person, str]) -> None:
    del waiting
    sealed = await kin.db.fetchval("SELECT sealed FROM kept_dialogues")
    assert ANSWERS not in sealed
    with pytest.raises(Exception, match="another place"):
        kin.seal.open(sealed, "kept:1")


async def test_nobody_else_reads_or_drops_it(kin: Kin, waiting: tuple[Person, Person, str]) -> None:
    _, mother, asked = waiting
    with pytest.raises(NoSuchBinding):
        await kin.proving.kept(asked, mother.citizen)
    with pytest.raises(NoSuchBinding):
        await kin.proving.drop(asked, mother.citizen, once())
    assert await rows(kin) == 1


async def test_the_last_one_kept_counts(kin: Kin, waiting: tuple[Person, Person, str]) -> None:
    son, _, asked = waiting
    assert await kin.proving.keep(asked, son.citizen, b"other answers", "缴费")
    assert await kin.proving.kept(asked, son.citizen) == b"other answers"
    assert await rows(kin) == 1


async def test_after_the_yes_it_waits_a_day_longer(kin: Kin, waiting: tuple[Person, Person, str]) -> None:
    son, mother, asked = waiting
    kin.passes(timedelta(hours=23))
    await kin.proving.approve(asked, mother.citizen, once())
    kin.passes(timedelta(hours=23))
    assert await kin.proving.kept(asked, son.citizen) == ANSWERS
    kin.passes(timedelta(hours=1))
    assert await kin.proving.kept(asked, son.citizen) is None
    assert await rows(kin) == 1
    kin.passes(timedelta(seconds=1))
    assert await purged(kin.db, "kept_dialogues", kin.clock) == 1
    assert await rows(kin) == 0


@pytest.mark.parametrize("end", ["refused", "withdrawn", "expired", "asked anew"])
async def test_every_other_end_drops_it(kin: Kin, waiting: tuple[Person, Person, str], end: str) -> None:
    son, mother, asked = waiting
    if end == "refused":
        await kin.proving.refuse(asked, mother.citizen, once())
    elif end == "withdrawn":
        await kin.proving.withdraw(asked, son.citizen, once())
    elif end == "expired":
        kin.passes(timedelta(hours=24))
        await kin.proving.expire()
    else:
        await kin.asks(son, mother, "other")
    assert await rows(kin) == 0
    assert await kin.proving.kept(asked, son.citizen) is None


async def test_taken_back_before_it_went_on_it_is_dropped(
    kin: Kin, waiting: tuple[Person, Person, str]
) -> None:
    son, mother, asked = waiting
    await kin.proving.approve(asked, mother.citizen, once())
    await kin.families.revoke(asked, mother.citizen, once())
    assert await kin.proving.kept(asked, son.citizen) is None
    assert await rows(kin) == 0


async def test_what_is_decided_keeps_nothing(kin: Kin, waiting: tuple[Person, Person, str]) -> None:
    son, mother, asked = waiting
    await kin.proving.approve(asked, mother.citizen, once())
    assert not await kin.proving.keep(asked, son.citizen, b"too late", "挂号")
    assert await kin.proving.kept(asked, son.citizen) == ANSWERS
