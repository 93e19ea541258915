"""`payments`: operators read one list at a time, page by page."""

from pathlib import Path

import pytest

from commands import line, payments
from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from services.citizens.service import Citizens
from services.payments.listing import Which
from settings import Settings, Stores
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


def test_only_lists_there_are_can_be_asked_for() -> None:
    line.parse(["payments", "refunds", "--limit", "5"])
    with pytest.raises(SystemExit):
        line.parse(["payments", "everything"])


def _settings(db_url: str, folder: Path) -> Settings:
    return Settings(stores=Stores(redis_url="unix:///nowhere", database_url=db_url, data_dir=str(folder)))
