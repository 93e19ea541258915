"""`transit tariff check` and the look of `check`: data files of the lines, before anybody rides by them."""

import shutil
from pathlib import Path

import pytest

from commands import invented
from commands.places import DEMO_TRANSIT
from settings import Settings, Stores, Transit
from tests.commands.conftest import Tell

FAR = "begins = 2026-01-01", "begins = 2199-01-01"
LOOK = "Transit                   "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The demo city's files, to be changed, beside the settings file."""
    shutil.copytree(DEMO_TRANSIT, tmp_path / "lines")
    (tmp_path / "bianmin.toml").write_text('[transit]\nfolder = "lines"\n', "utf-8")
    return tmp_path / "lines"


def change(path: Path, before: str, after: str) -> None:
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), "utf-8")


def test_what_fits_together_is_told(folder: Path, tell: Tell) -> None:
    told = tell(folder.parent, "transit", "tariff", "check", "lines")
    assert told.code == 0, told.err
    assert f"✓ {LOOK}{folder}: 5 lines, 18 stations, " in told.out
    assert told.out.endswith("tariffs 2026-1 from 2026-01-01 on\n")


def test_a_negative_fare_is_told_with_file_line_and_field(folder: Path, tell: Tell) -> None:
    tariff = folder / "tariff-2026-1.toml"
    change(tariff, "fen = 400", "fen = -400")
    mistake = f"{tariff}, line 15, metro[2].fen: Expected `int` >= 0"
    told = tell(folder.parent, "transit", "tariff", "check", "lines")
    assert (told.code, told.line) == (2, f"bianmin: {mistake}")
    looked = tell(folder.parent, "check")
    assert looked.code == 1
    assert f"✗ {LOOK}{mistake}\n" in looked.out


def test_a_tariff_that_no_code_could_be_signed_for_was_found_out_by_riders(folder: Path, tell: Tell) -> None:
    change(folder / "tariff-2026-1.toml", "fen = 600", "fen = 5010")
    change(folder / "tariff-2026-1.toml", "fen = 500", "fen = 5010")
    looked = tell(folder.parent, "check")
    assert looked.code == 1
    assert (
        "the dearest ride of tariff 2026-1 is 5010 fen, and no code is good for more than 5000" in looked.out
    )


@pytest.mark.parametrize("name", ["nowhere", "bianmin.toml"])
def test_a_folder_that_is_none_is_one_clear_line(folder: Path, name: str, tell: Tell) -> None:
    told = tell(folder.parent, "transit", "tariff", "check", name)
    assert told.code == 2
    assert f"{name}/network.toml" in told.line


def test_check_tells_what_a_ride_costs_from_today_on(folder: Path, tell: Tell) -> None:
    shutil.copy(folder / "tariff-2026-1.toml", folder / "tariff-2199.toml")
    change(folder / "tariff-2199.toml", *FAR)
    change(folder / "tariff-2199.toml", 'version = "2026-1"', 'version = "2199"')
    looked = tell(folder.parent, "check").out
    assert "stations, tariff 2026-1 from 2026-01-01 on, then 2199 from 2199-01-01 on\n" in looked
    assert f"✓ {LOOK}5 lines, " in looked


def test_a_tariff_that_begins_another_day_is_no_tariff_today(folder: Path, tell: Tell) -> None:
    change(folder / "tariff-2026-1.toml", *FAR)
    assert f"✗ {LOOK}{folder}: no tariff has begun yet (2026-1 from 2199-01-01 on)" in (
        tell(folder.parent, "check").out
    )
    assert tell(folder.parent, "transit", "tariff", "check", "lines").code == 0, "it may wait in its folder"


def test_check_without_lines(tmp_path: Path, tell: Tell) -> None:
    assert f"✓ {LOOK}none given: `run` has the demo city's\n" in tell(tmp_path, "check").out


def test_run_has_the_demo_citys_lines_unless_there_are_others(tmp_path: Path) -> None:
    bare = Settings(stores=Stores(data_dir=str(tmp_path)))
    assert invented.as_run(bare).transit.folder == str(DEMO_TRANSIT)
    own = Settings(stores=Stores(data_dir=str(tmp_path)), transit=Transit(folder="/lines"))
    assert invented.as_run(own).transit.folder == "/lines"
