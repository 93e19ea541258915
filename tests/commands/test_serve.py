"""`serve`, `check` and `messages` beside a running `run`: they use its stores and end with it."""

import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from redis import Redis

from commands.days import DAYS
from commands.places import DEMO
from tests.commands.conftest import OWN_VALUES, Tell, beside, counted
from tests.support.program import ROOT, Place, Program, answers, run_to_end
from tests.support.stores import run_apart, statement
from tests.support.waiting import wait_until


def test_serve_refuses_the_sample_values(running: Place, tmp_path: Path, tell: Tell) -> None:
    sample = tomllib.loads((ROOT / "bianmin.example.toml").read_text("utf-8"))["accounts"]["city"]
    values = "".join(f'{key} = "{value}"\n' for key, value in sample.items())
    place = beside(running, tmp_path, f"[accounts.city]\n{values}")
    refused = tell(place.folder, "serve")
    assert refused.code == 2
    assert refused.err.count("is still the sample value") == 5
    assert len(refused.err.strip().splitlines()) == 1


def test_serve_demands_what_is_missing(running: Place, tmp_path: Path, tell: Tell) -> None:
    place = beside(running, tmp_path, "[accounts.city]\n")
    refused = tell(place.folder, "serve")
    assert refused.code == 2
    assert "accounts.city.secret is missing" in refused.err


def test_serve_refuses_a_plain_account_with_the_token_of_another(running: Place, tmp_path: Path) -> None:
    plain = OWN_VALUES + 'mode = "plain"\n'
    place = beside(running, tmp_path, plain + plain.replace("[accounts.city]", "[accounts.school]"))
    refused = run_to_end(place.folder, "serve")
    assert refused.returncode == 2
    assert "accounts.city.token is a token of accounts.school, too" in refused.stderr.splitlines()[-1]


def test_serve_answers_until_sigterm(running: Place, tmp_path: Path) -> None:
    place = beside(running, tmp_path)
    program = Program(place, "serve").ready()
    assert answers(f"{place.url}/healthz") == "alive\n"
    program.signal(signal.SIGTERM)
    assert program.ends() == 0
    assert answers(f"{running.url}/readyz"), "the owner of the stores goes on"


def test_serve_opens_the_days_of_whatever_catalogue_is_there(
    tmp_path: Path, redis_url: str, db_url: str, tell: Tell
) -> None:
    place = Place(tmp_path, f'[stores]\nredis_url = "{redis_url}"\ndatabase_url = "{db_url}"\n{OWN_VALUES}')
    assert tell(tmp_path, "keys", "create").code == 0
    assert tell(tmp_path, "catalogue", "load", str(DEMO)).code == 0
    run_apart(statement(db_url, "TRUNCATE sessions CASCADE"))  # as before anything was opened
    program = Program(place, "serve").ready()
    assert counted(db_url, "SELECT count(DISTINCT date) FROM sessions") == DAYS + 1
    assert counted(db_url, "SELECT count(*) FROM bookings") == 0, "no neighbours in a real city"
    assert program.stop() == 0


@pytest.mark.parametrize("options", [(), ("--processes", "2")], ids=["one", "two"])
def test_serve_ends_with_the_owner_of_its_stores(tmp_path: Path, options: tuple[str, ...]) -> None:
    owner_place = Place(tmp_path / "owner")
    owner = Program(owner_place).ready()
    place = beside(owner_place, tmp_path / "beside")
    program = Program(place, "serve", *options).ready()
    wait_until(lambda: " event=ready " in program.said, "all are ready")
    assert owner.stop() == 0
    assert program.ends() == 0
    assert program.said.count("has ended") == 1
    assert "process_ended" not in program.said, "nobody is started without stores"


def test_check_passes_and_names_versions(running: Place, tmp_path: Path, tell: Tell) -> None:
    place = beside(running, tmp_path)
    told = tell(place.folder, "check")
    assert told.code == 0, told.out
    assert "✗" not in told.out
    for part in ("PostgreSQL", "Valkey", "noeviction", "up to date", "keys"):
        assert part in told.out


def test_check_refuses_a_redis_that_throws_away(running: Place, tmp_path: Path, tell: Tell) -> None:
    place = beside(running, tmp_path)
    with Redis(unix_socket_path=valkey_socket(place)) as redis:
        redis.config_set("maxmemory-policy", "allkeys-lru")
        try:
            told = tell(place.folder, "check")
        finally:
            redis.config_set("maxmemory-policy", "noeviction")
    assert told.code == 1
    assert "✗ Redis" in told.out
    assert "noeviction" in told.out
    assert "✓ PostgreSQL" in told.out, "what is well is told too"


def test_check_tells_everything_that_is_missing(tmp_path: Path, tell: Tell) -> None:
    told = tell(Place(tmp_path).folder, "check")
    assert told.code == 1
    assert told.out.count("✗") == 5
    assert told.out.count("start `make run` first") == 2, "what hangs on PostgreSQL does not say it once more"
    assert "Schema                    not looked at, because of PostgreSQL" in told.out
    assert "Catalogue                 not looked at, because of Schema" in told.out
    assert "keys is not there yet: `make run` makes it" in told.out


def test_a_database_of_ones_own_was_not_looked_at_while_redis_was_to_be_ours(
    tmp_path: Path, db_url: str, tell: Tell
) -> None:
    place = Place(tmp_path, f'[stores]\ndatabase_url = "{db_url}"\n{OWN_VALUES}')
    told = tell(place.folder, "check")
    assert "✗ Redis" in told.out
    assert "start `make run` first" in told.out
    assert "✓ PostgreSQL" in told.out


@pytest.mark.parametrize(
    ("variable", "given", "told"),
    [
        ("BIANMIN_SERVER__HOST", "not a host", "✗ Address                   server.host: 'not a host' is"),
        ("BIANMIN_STORES__DATA_DIR", "bianmin.toml/inside", "✗ Data folder               data folder "),
    ],
)
def test_what_run_refuses_is_seen_by_check(
    tmp_path: Path, tell: Tell, monkeypatch: pytest.MonkeyPatch, variable: str, given: str, told: str
) -> None:
    place = Place(tmp_path)
    assert told not in tell(place.folder, "check").out, "control"
    monkeypatch.setenv(variable, given)
    assert told in tell(place.folder, "check").out


def test_who_reads_only_the_first_lines_of_check_saw_a_traceback(tmp_path: Path) -> None:
    place = Place(tmp_path)
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "check"],
        cwd=place.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    program.stdout.close()
    assert program.stderr is not None
    assert program.stderr.read() == ""
    assert program.wait() == 128 + signal.SIGPIPE


def test_check_names_the_file_it_has_read(tmp_path: Path, tell: Tell) -> None:
    nothing = tell(tmp_path, "check").out
    assert (
        f"Settings                  no {tmp_path / 'bianmin.toml'}: every setting has its default" in nothing
    )
    assert (
        f"Settings                  {Place(tmp_path).folder / 'bianmin.toml'}\n"
        in tell(tmp_path, "check").out
    )


def test_a_message_left_at_the_desk_is_listed_shown_and_closed(running: Place, tell: Tell) -> None:
    running.says("人工", "o-desk")
    told = running.says("我的医保卡丢了，请给我打电话", "o-desk")
    assert told
    listed = tell(running.folder, "messages", "list").out
    assert "医保卡" in listed
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d\+0800 ", listed), "every time shows its zone"
    number = listed.split()[0]
    shown = tell(running.folder, "messages", "show", number).out
    assert "我的医保卡丢了，请给我打电话" in shown
    assert "o-desk" not in shown, "no openid leaves services/citizens"
    closed = tell(running.folder, "messages", "close", number, "--by", "王芳")
    assert closed.code == 0
    again = tell(running.folder, "messages", "close", number)
    assert again.code == 1
    assert "王芳" in again.err
    assert number not in tell(running.folder, "messages", "list").out
    assert number in tell(running.folder, "messages", "list", "--all").out
    assert tell(running.folder, "messages", "show", "m0").code == 1


def test_migrate_says_when_nothing_is_to_do(running: Place, tell: Tell) -> None:
    told = tell(running.folder, "migrate")
    assert told.code == 0
    assert "up to date" in told.out


def test_serve_does_not_answer_on_an_old_schema(running: Place, tmp_path: Path) -> None:
    place = beside(running, tmp_path)
    database = "postgresql" + run_file(running)["database_url"].removeprefix("postgresql")
    old = database.replace("@/bianmin?", "@/postgres?")
    with (place.folder / "bianmin.toml").open("a") as file:
        file.write(f"# {old}\n")
    text = (
        (place.folder / "bianmin.toml")
        .read_text()
        .replace("[stores]\n", f'[stores]\ndatabase_url = "{old}"\n')
    )
    (place.folder / "bianmin.toml").write_text(text)
    refused = run_to_end(place.folder, "serve")
    assert refused.returncode == 2
    assert ".venv/bin/python main.py migrate" in refused.stderr.strip().splitlines()[-1]


def run_file(place: Place) -> dict[str, str]:
    """What `run` tells other commands."""
    found: dict[str, str] = answers((place.data / "run.json").as_uri())
    return found


def valkey_socket(place: Place) -> str:
    wait_until((place.data / "run.json").exists, "the stores are up")
    return run_file(place)["redis_url"].removeprefix("unix://").split("?")[0]
