"""`catalogue load` puts a city's hospitals into a database, and says in one line what is wrong with them."""

import shutil
from pathlib import Path

import pytest

from commands.days import DAYS
from commands.places import DEMO
from tests.commands.conftest import Own, Tell, counted
from tests.support.stores import Servers


def test_a_folder_is_loaded_and_its_days_are_open(own: Own, db_url: str, tell: Tell) -> None:
    told = tell(own.folder, "catalogue", "load", str(DEMO))
    assert told.code == 0, told.err
    assert "loaded" in told.out
    assert counted(db_url, "SELECT count(*) FROM hospitals") == 2
    assert counted(db_url, "SELECT count(DISTINCT date) FROM sessions") == DAYS + 1
    assert counted(db_url, "SELECT count(*) FROM bookings") == 0, "nobody is invented"

    again = tell(own.folder, "catalogue", "load", str(DEMO))
    assert again.code == 0
    assert "loaded already" in again.out
    assert "0 new sessions" in again.out


def test_a_changed_folder_is_loaded_anew(own: Own, db_url: str, tell: Tell, tmp_path: Path) -> None:
    ours = tmp_path / "ours"
    shutil.copytree(DEMO, ours)
    assert tell(own.folder, "catalogue", "load", str(ours)).code == 0
    hospitals = ours / "hospitals.toml"
    text = hospitals.read_text("utf-8")
    name = next(line for line in text.splitlines() if line.startswith("name"))
    hospitals.write_text(text.replace(name, 'name = "新城医院"', 1), "utf-8")
    assert tell(own.folder, "catalogue", "load", str(ours)).code == 0
    assert counted(db_url, "SELECT count(*) FROM hospitals WHERE name = '新城医院'") == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "part"),
    [
        ("doctors_zhongyi.toml", "units = ", "units = 100", "PostgreSQL refuses it"),
        ("doctors_zhongyi.toml", "units = ", "united = ", "united"),
        ("doctors_zhongyi.toml", 'specialty = "', 'specialty = "no-such-', "works in an unknown department"),
        ("hospitals.toml", "name", "name name", "hospitals.toml"),
    ],
)
def test_a_mistake_in_the_files_is_one_clear_line(  # noqa: PLR0917 - fixtures and cases
    own: Own, db_url: str, tell: Tell, tmp_path: Path, file: str, old: str, new: str, part: str
) -> None:
    ours = tmp_path / "ours"
    shutil.copytree(DEMO, ours)
    text = (ours / file).read_text("utf-8")
    assert old in text
    (ours / file).write_text(text.replace(old, new, 1), "utf-8")
    told = tell(own.folder, "catalogue", "load", str(ours))
    assert told.code == 2
    assert part in told.line
    assert counted(db_url, "SELECT count(*) FROM hospitals") == 0, "all of it or nothing"


def test_a_folder_without_files_is_one_clear_line(own: Own, tell: Tell) -> None:
    told = tell(own.folder, "catalogue", "load", "nowhere")
    assert told.code == 2
    assert "nowhere: no hospital data" in told.line


def test_a_database_that_was_not_migrated_is_one_clear_line(
    tmp_path: Path, embedded_servers: Servers, tell: Tell
) -> None:
    own = Own(tmp_path, embedded_servers.redis_url, embedded_servers.database_url)
    told = tell(own.folder, "catalogue", "load", str(DEMO))
    assert told.code == 2
    assert ".venv/bin/python main.py migrate" in told.line


def test_check_asks_for_a_catalogue(own: Own, tell: Tell) -> None:
    assert tell(own.folder, "keys", "create").code == 0
    before = tell(own.folder, "check")
    assert before.code == 1
    assert "catalogue load FOLDER" in before.out
    tell(own.folder, "catalogue", "load", str(DEMO))
    after = tell(own.folder, "check")
    assert after.code == 0, after.out
    assert "demo" in after.out
