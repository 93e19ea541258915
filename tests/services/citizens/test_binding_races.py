"""Two at once, each with its control: what would happen without the lock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from core.errors import DomainError
from core.stores.database import Database, Transaction
from services.citizens import bindings_store
from services.citizens.errors import RequestOver, TooManyAccounts, TooManyPersons
from tests.services.citizens.kin import Kin, Person, once
from tests.support.waiting import until

Step = Callable[[], Awaitable[object]]
_WAITS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for anybody: all that is left is what each saw before."""

    async def nothing(*_: object, **__: object) -> None:
        """Lock nothing."""

    monkeypatch.setattr(bindings_store, "lock", nothing)


class Halfway:
    """Stops whoever comes first just before they write, until somebody else is through or waits for them."""

    def __init__(self, kin: Kin, monkeypatch: pytest.MonkeyPatch, *writes: str) -> None:
        self._db = kin.db
        self._taken = False
        self.reached, self._go = asyncio.Event(), asyncio.Event()
        for write in writes:
            monkeypatch.setattr(bindings_store, write, self._stopping(getattr(bindings_store, write)))

    def _stopping(self, write: Callable[..., Awaitable[object]]) -> Callable[..., Awaitable[object]]:
        async def stopped(tx: Transaction, *args: object) -> object:
            if not self._taken:
                self._taken = True
                self.reached.set()
                await self._go.wait()
            return await write(tx, *args)

        return stopped

    async def race(self, first: Step, second: Step) -> list[object]:
        """Both at once, the first stopped midway; what each returned or raised."""
        one = asyncio.ensure_future(_outcome(first))
        await self.reached.wait()
        two = asyncio.ensure_future(_outcome(second))

        async def waits_or_done() -> bool:
            return two.done() or bool(await self._db.fetchval(_WAITS))

        await until(waits_or_done, "the second one is through, or waits")
        self._go.set()
        return [await one, await two]


async def _outcome(step: Step) -> object:
    try:
        return await step()
    except (DomainError, asyncpg.PostgresError) as refused:
        return type(refused)


async def family(kin: Kin) -> tuple[Person, Person, str]:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    return son, mother, await kin.asks(son, mother)


def yes(kin: Kin, asked: str, who: Person) -> Step:
    return lambda: kin.proving.approve(asked, who.citizen, once())


async def ends(db: Database, asked: str) -> list[str]:
    """The steps that ended a request, or made it a binding."""
    rows = await db.fetch(
        "SELECT what FROM citizen_events WHERE binding = $1 AND what <> 'asked' ORDER BY id", int(asked)
    )
    return [row["what"] for row in rows]


async def test_two_yeses_at_once_are_one(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    _, mother, asked = await family(kin)
    halfway = Halfway(kin, monkeypatch, "approve")
    assert await halfway.race(yes(kin, asked, mother), yes(kin, asked, mother)) == [asked, RequestOver]
    assert await ends(kin.db, asked) == ["approved"]


@pytest.mark.usefixtures("unlocked")
async def test_control_two_yeses_without_the_lock_fall_over_each_other(
    kin: Kin, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, mother, asked = await family(kin)
    halfway = Halfway(kin, monkeypatch, "approve")
    outcomes = await halfway.race(yes(kin, asked, mother), yes(kin, asked, mother))
    assert outcomes == [asked, asyncpg.CheckViolationError], "only the machine in the database stands there"


async def yes_and_the_end(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> tuple[list[object], str, list[str]]:
    """She says yes in the last moment: what came of both, how it stands, and what the operator reads."""
    _, mother, asked = await family(kin)
    halfway = Halfway(kin, monkeypatch, "approve")

    async def over() -> object:
        kin.passes(timedelta(hours=24))
        return await kin.proving.expire()

    with capture_logs() as lines:
        outcomes = await halfway.race(yes(kin, asked, mother), over)
    assert (await ends(kin.db, asked), outcomes[0]) == (["approved"], asked)
    return outcomes, await kin.state(asked), [line["event"] for line in lines]


async def test_yes_and_the_end_of_its_time(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    (_, ended), state, lines = await yes_and_the_end(kin, monkeypatch)
    assert (ended, state, lines) == (0, "active", [])


@pytest.mark.usefixtures("unlocked")
async def test_control_without_the_lock_its_end_runs_into_the_machine(
    kin: Kin, monkeypatch: pytest.MonkeyPatch
) -> None:
    (_, ended), state, lines = await yes_and_the_end(kin, monkeypatch)
    assert (ended, state, lines) == (0, "active", ["request_not_ended"])


async def test_withdrawn_and_agreed_at_once(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    son, mother, asked = await family(kin)
    halfway = Halfway(kin, monkeypatch, "approve", "end")
    back: Step = lambda: kin.proving.withdraw(asked, son.citizen, once())  # noqa: E731 - like `yes`
    assert await halfway.race(back, yes(kin, asked, mother)) == [asked, RequestOver]
    assert await ends(kin.db, asked) == ["withdrawn"]


async def test_taken_back_while_a_newer_one_is_agreed_to(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    """She takes back what he holds while her yes to more, from her other phone, is on its way."""
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    more = await kin.asks(son, mother, "mother", "report")
    halfway = Halfway(kin, monkeypatch, "approve")
    back: Step = lambda: kin.families.revoke(held, mother.citizen, once())  # noqa: E731 - like `yes`
    assert await halfway.race(yes(kin, more, mother), back) == [more, held]
    assert (await kin.state(held), await kin.state(more)) == ("expired", "revoked")
    assert await kin.titles(son, "report") == []


@pytest.mark.usefixtures("unlocked")
async def test_control_without_the_lock_he_keeps_what_was_taken_back(
    kin: Kin, monkeypatch: pytest.MonkeyPatch
) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    held = await kin.bound(son, mother)
    more = await kin.asks(son, mother, "mother", "report")
    halfway = Halfway(kin, monkeypatch, "end")  # the older one is about to be replaced
    back: Step = lambda: kin.families.revoke(held, mother.citizen, once())  # noqa: E731 - like `yes`
    outcomes = await halfway.race(yes(kin, more, mother), back)
    assert outcomes != [more, held], "one of the two statements hits a row that is not as it was seen"


async def test_the_fifth_person_twice_at_once(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    son, (one, two) = await nearly_full(kin)
    halfway = Halfway(kin, monkeypatch, "ask")
    outcomes = await halfway.race(lambda: kin.asks(son, one), lambda: kin.asks(son, two))
    assert outcomes[1] is TooManyPersons
    assert len(await kin.families.open_requests(son.citizen)) == 1


@pytest.mark.usefixtures("unlocked")
async def test_control_without_the_lock_there_are_six(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    son, (one, two) = await nearly_full(kin)
    halfway = Halfway(kin, monkeypatch, "ask")
    await halfway.race(lambda: kin.asks(son, one), lambda: kin.asks(son, two))
    assert (
        len(await kin.families.people(son.citizen)) + len(await kin.families.open_requests(son.citizen)) == 6
    )


async def nearly_full(kin: Kin) -> tuple[Person, list[Person]]:
    """Somebody with three relatives, and two more."""
    son = await kin.person("王小明")
    for name in ("李一", "李二", "李三"):
        await kin.bound(son, await kin.stranger(name), "other")
    return son, [await kin.stranger("李四"), await kin.stranger("李五")]


async def test_the_fourth_account_twice_at_once(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    mother, asked = await nearly_held(kin)
    halfway = Halfway(kin, monkeypatch, "approve")
    outcomes = await halfway.race(*(yes(kin, each, mother) for each in asked))
    assert outcomes == [asked[0], TooManyAccounts]
    assert len(await kin.families.holders(mother.citizen)) == 3


@pytest.mark.usefixtures("unlocked")
async def test_control_without_the_lock_there_are_five(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    mother, asked = await nearly_held(kin)
    halfway = Halfway(kin, monkeypatch, "approve")
    await halfway.race(*(yes(kin, each, mother) for each in asked))
    assert len(await kin.families.holders(mother.citizen)) == 4


async def nearly_held(kin: Kin) -> tuple[Person, list[str]]:
    """Somebody whom two accounts hold beside her own, and two more who ask."""
    mother = await kin.person("李桂芳", proven=True)
    for name in ("王一", "王二"):
        await kin.bound(await kin.person(name), mother)
    return mother, [await kin.asks(await kin.person(name), mother) for name in ("王三", "王四")]


async def test_twenty_codes_at_once_are_five(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked = await kin.asks(son, mother)
    await kin.proving.send_code(asked, son.citizen, "first", once())
    before = kin.clinic.asked
    kin.clinic.is_watched = False  # others are in their transactions meanwhile
    guesses = (kin.proving.check_code(asked, son.citizen, f"{n:06d}", once()) for n in range(20))
    await asyncio.gather(*guesses, return_exceptions=True)
    assert kin.clinic.asked - before == 5


@pytest.mark.usefixtures("unlocked")
async def test_control_without_the_lock_more_are_looked_at(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.stranger("李桂芳")
    asked = await kin.asks(son, mother)
    await kin.proving.send_code(asked, son.citizen, "first", once())
    before = kin.clinic.asked
    kin.clinic.is_watched = False
    guesses = (kin.proving.check_code(asked, son.citizen, f"{n:06d}", once()) for n in range(20))
    await asyncio.gather(*guesses, return_exceptions=True)
    assert kin.clinic.asked - before > 5


async def test_two_who_register_one_person_at_once(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    mother = await kin.stranger("李桂芳")
    one, two = await kin.person("王一"), await kin.person("王二")
    asked = [await kin.asks(one, mother), await kin.asks(two, mother)]
    halfway = Halfway(kin, monkeypatch, "register")
    stamps = [lambda each=each: kin.proving.approve_at_counter(each, "window-3", once()) for each in asked]
    assert await halfway.race(*stamps) == asked
    (theirs,), (others,) = [await kin.families.meant(each.citizen, "妈") for each in (one, two)]
    assert theirs.id == others.id
