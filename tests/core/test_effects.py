"""One row per effect, written in the transaction of the change."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from core.clock import ManualClock
from core.effects import AlreadyDone, Effect, digest_of, perform, result_of
from core.errors import DomainError
from core.privacy import retention
from core.stores.database import Database, Transaction
from tests.support.purging import purged

EFFECT = Effect("city:abc:m:1:2/hospital.book", "hold", b"digest")


class Refused(DomainError):  # noqa: N818 - a refusal
    code = "refused"


class Change:
    """A change that counts how often it is made."""

    def __init__(self) -> None:
        self.made = 0

    async def __call__(self, tx: Transaction) -> str:
        await tx.execute("SELECT pg_sleep(0.02)")
        self.made += 1
        return f"unit-{self.made}"


async def test_the_same_arguments_return_the_stored_result(db: Database) -> None:
    change = Change()
    assert [await perform(db, EFFECT, change) for _ in range(3)] == ["unit-1"] * 3
    assert change.made == 1


async def test_concurrent_callers_wait_for_the_one_change(db: Database) -> None:
    change = Change()
    assert set(await asyncio.gather(*(perform(db, EFFECT, change) for _ in range(8)))) == {"unit-1"}
    assert change.made == 1


async def test_control_without_the_lock_of_an_effect_concurrent_callers_change_twice(db: Database) -> None:
    change = Change()

    async def check_then_do() -> None:
        if not await db.fetchrow("SELECT 1 FROM effects WHERE run = $1", EFFECT.run):
            async with db.transaction() as tx:
                await change(tx)

    await asyncio.gather(check_then_do(), check_then_do())
    assert change.made == 2


async def test_other_arguments_are_told_what_was_done(db: Database) -> None:
    change = Change()
    await perform(db, EFFECT, change)
    with pytest.raises(AlreadyDone) as done:
        await perform(db, Effect(EFFECT.run, EFFECT.key, b"other"), change)
    assert done.value.result == "unit-1"
    assert change.made == 1


async def test_another_key_or_run_is_another_effect(db: Database) -> None:
    change = Change()
    await perform(db, EFFECT, change)
    await perform(db, Effect(EFFECT.run, "cancel", b"digest"), change)
    await perform(db, Effect("city:abc:m:2:2/hospital.book", "hold", b"digest"), change)
    assert change.made == 3


async def test_a_refusal_leaves_no_row(db: Database) -> None:
    async def refuse(tx: Transaction) -> str:
        await tx.execute("INSERT INTO effects (run, key, digest, result) VALUES ('x', 'y', '', '')")
        raise Refused

    with pytest.raises(Refused):
        await perform(db, EFFECT, refuse)
    assert await db.fetchval("SELECT count(*) FROM effects") == 0
    assert await perform(db, EFFECT, Change()) == "unit-1"


async def test_effects_of_runs_long_over_are_forgotten_and_no_others(
    db: Database, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)  # so that five take more than one statement
    for number in range(5):
        await perform(db, Effect(f"old-{number}", "hold", b""), Change())
    await db.execute("UPDATE effects SET at = $1", clock.now() - timedelta(days=31))
    recent = Effect("recent", "hold", b"")
    await perform(db, recent, Change())
    await db.execute("UPDATE effects SET at = $1 WHERE run = 'recent'", clock.now() - timedelta(days=29))

    assert await purged(db, "effects", clock) == 5
    assert await purged(db, "effects", clock) == 0
    again = Change()
    await perform(db, recent, again)
    assert again.made == 0, "what may still be repeated is still harmless"


async def test_what_was_done_is_known_before_somebody_outside_is_asked(db: Database) -> None:
    assert await result_of(db, EFFECT) is None
    await perform(db, EFFECT, Change())
    assert await result_of(db, EFFECT) == "unit-1"
    with pytest.raises(AlreadyDone) as done:
        await result_of(db, Effect(EFFECT.run, EFFECT.key, b"another"))
    assert done.value.result == "unit-1"


class Wish:
    """Something personal, which counts by its keyed hash."""

    def __init__(self, number: str, fingerprint: bytes) -> None:
        self.number = number
        self.fingerprint = fingerprint


async def _ask(wish: object, citizen: str, effect: Effect) -> str:
    return f"{wish}{citizen}{effect}"


def test_an_id_number_could_be_guessed_from_the_digest_of_an_effect() -> None:
    number = "11010519491231002X"
    mine = digest_of(partial(_ask, Wish(number, b"k" * 16), "c_1"))
    assert mine == digest_of(partial(_ask, Wish("another", b"k" * 16), "c_1")), "only the keyed hash counts"
    assert mine != digest_of(partial(_ask, Wish(number, b"l" * 16), "c_1"))
    assert mine != digest_of(partial(_ask, Wish(number, b"k" * 16), "c_2"))


def test_what_is_neither_data_nor_has_a_fingerprint_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="no fingerprint"):
        digest_of(partial(_ask, object(), "c_1"))
