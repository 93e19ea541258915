"""`payments`: operators read one list at a time, page by page."""

import asyncio
from pathlib import Path

import pytest

from commands import line, payments
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from services.payments.listing import Which
from settings import Settings, Stores
from tests.commands.conftest import Tell
from tests.services.payments.till import Till


async def test_pages_of_what_is_owed(
    db: Database, db_url: str, clock: ManualClock, seal: Seal, tmp_path: Path
) -> None:
    till = Till.on(db, clock, Citizens(db, seal))
    citizen = await till.signed()
    for trip in range(3):
        await till.owes(citizen, 250, f"trip-{trip}")
    found = await payments._page(_settings(db_url, tmp_path), Which.OPEN, "", 2)
    assert [payments._shown(each).split()[4] for each in found] == ["2.50", "2.50"]
    rest = await payments._page(_settings(db_url, tmp_path), Which.OPEN, found[-1].id, 2)
    assert len(rest) == 1
    assert citizen not in payments._shown(rest[0])


def test_nothing_is_said_plainly_and_pages_go_on(
    db_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert payments.listing(_settings(db_url, tmp_path), "staff", "", 20) == 0
    assert capsys.readouterr().out == "none\n"


async def test_what_was_given_up_is_asked_for_anew(
    db: Database, db_url: str, clock: ManualClock, seal: Seal, tmp_path: Path, tell: Tell
) -> None:
    till = Till.on(db, clock, Citizens(db, seal))
    payment = await till.owes(await till.signed())
    (tmp_path / "bianmin.toml").write_text(
        f'[stores]\nredis_url = "unix:///nowhere"\ndatabase_url = "{db_url}"\n', "utf-8"
    )
    asked = ("payments", "again", payment, "--by", "lin", "--reason", "the merchant may debit again")
    refused = await asyncio.to_thread(tell, tmp_path, *asked)
    assert (refused.code, refused.line) == (
        1,
        f"bianmin: {payment}: neither a payment that is stopped nor a refund that failed",
    )
    await db.execute(
        "UPDATE payments SET state = 'stopped', what = 'stopped', step = step + 1, next_try_at = NULL"
    )
    done = await asyncio.to_thread(tell, tmp_path, *asked)
    assert done.code == 0, done.err
    assert "is asked for anew, by lin" in done.out
    assert await till.state(payment) == "owed"


def test_only_lists_there_are_can_be_asked_for() -> None:
    line.parse(["payments", "refunds", "--limit", "5"])
    with pytest.raises(SystemExit):
        line.parse(["payments", "everything"])


def _settings(db_url: str, folder: Path) -> Settings:
    return Settings(stores=Stores(redis_url="unix:///nowhere", database_url=db_url, data_dir=str(folder)))
