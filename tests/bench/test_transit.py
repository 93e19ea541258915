"""The transit bench measures codes that a gate lets through, and says so when it does not."""

from dataclasses import replace

import pytest

from bench.transit import ingesting, verifying
from bench.transit.verifying import Riders, measured
from bench.webhook.load import LoadFailedError
from core.seal import Seal
from core.stores.database import Database
from gate.code import Refused


def test_a_few_codes_are_verified_in_every_way() -> None:
    found = {figure.name: figure.spread.median for figure in measured(Riders.of(5), 3)}
    assert found["bare_rate"] > found["verify_rate"] * 0.5 > 0
    assert 0 < found["verify_to_bare"] < 2


def test_a_code_that_is_refused_ends_the_measurement() -> None:
    riders = Riders.of(2)
    with pytest.raises(Refused, match="forged_issuer"):
        verifying._whole(replace(riders, issuer=Riders.of(1).issuer))()


def test_a_code_that_comes_twice_ends_it() -> None:
    riders = Riders.of(1)
    with pytest.raises(Refused, match="used"):
        measured(replace(riders, codes=riders.codes * 2), 1)


async def test_a_few_taps_become_trips_with_books_that_agree(db: Database, db_url: str, seal: Seal) -> None:
    found = {figure.name: figure.spread.median for figure in await ingesting.measured(db_url, seal, 60)}
    assert found["ingest_rate"] > 0
    assert found["ingest_growth"] > 0
    assert await db.fetchval("SELECT count(*) FROM transit_trips WHERE state = 'closed'") == 30


async def test_books_that_say_otherwise_end_it(db: Database) -> None:
    with pytest.raises(LoadFailedError, match="7 taps became"):
        await ingesting._look_at_books(db, 7)


def test_the_rate_is_of_all_taps_in_all_the_time() -> None:
    rate, growth = ingesting._figures([3000.0, 1000.0])
    assert (rate.spread.median, rate.missed) == (1500, True)
    assert (growth.spread.median, growth.missed) == (3, True)
