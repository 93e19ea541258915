"""Embedded stores begin and end with their owner, however it ends, and keep what they were given."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
import redis

from core.errors import BootError
from core.stores.embedded.stores import EmbeddedStores, attach
from tests.core.stores.embedded.conftest import Owner, Up, ended
from tests.support.waiting import until, wait_until

Own = Callable[..., Owner]


def ask(url: str, *statements: str) -> Any:
    """Run statements on that PostgreSQL; the last one's first value."""

    async def run() -> Any:
        connection = await asyncpg.connect(url)
        try:
            answers = [await connection.fetchval(statement) for statement in statements]
        finally:
            await connection.close()
        return answers[-1]

    return apart(run())


def apart(work: Coroutine[Any, Any, Any]) -> Any:
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, work).result()


def remember(up: Up) -> None:
    ask(
        up.database_url,
        "DROP TABLE IF EXISTS promise",
        "CREATE TABLE promise (words text)",
        "INSERT INTO promise VALUES ('明天 9:00')",
    )
    with redis.Redis.from_url(up.redis_url) as client:
        client.set("session", "科室")


def remembered(up: Up) -> bool:
    with redis.Redis.from_url(up.redis_url) as client:
        in_redis = client.get("session")
    in_postgresql = ask(up.database_url, "SELECT words FROM promise")
    return bool(in_postgresql == "明天 9:00" and in_redis == "科室".encode())


def sockets_of(up: Up) -> Path:
    return Path(parse_qs(urlsplit(up.database_url).query)["host"][0])


def test_data_survives_a_restart(own: Own) -> None:
    first = own()
    remember(first.up())
    first.end()

    assert remembered(own().up())


def test_a_second_start_takes_less_than_a_second(own: Own) -> None:
    own_first = own()
    own_first.up()
    own_first.end()

    def start() -> float:
        owner = own()
        seconds = owner.up().seconds
        owner.end()
        return seconds

    assert min(start() for _ in range(3)) < 1


def test_after_ctrl_c_nothing_is_left_but_the_data(own: Own, data: Path) -> None:
    owner = own()
    up = owner.up()

    owner.end()

    assert ended(up.postgres, up.valkey)
    assert not sockets_of(up).exists()
    assert not (data / "run.json").exists()
    assert not (data / "pg" / "postmaster.pid").exists()


def test_the_servers_do_not_hear_the_terminal_s_ctrl_c(own: Own) -> None:
    owner = own()
    up = owner.up()

    assert os.getsid(up.postgres) == up.postgres
    assert os.getsid(up.valkey) == up.valkey


def test_the_sockets_are_open_to_their_owner_alone(own: Own) -> None:
    up = own().up()

    assert sockets_of(up).stat().st_mode & 0o777 == 0o700
    with redis.Redis.from_url(up.redis_url) as client:
        assert client.config_get("port") == {"port": "0"}
    assert ask(up.database_url, "SHOW listen_addresses") == ""


def test_run_keeps_full_durability(own: Own) -> None:
    up = own().up()

    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        assert ask(up.database_url, f"SHOW {setting}") == "on"
    with redis.Redis.from_url(up.redis_url) as client:
        assert client.config_get("append*", "maxmemory-policy")["appendfsync"] == "everysec"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_chinese_has_trigrams(own: Own) -> None:
    up = own().up()

    assert ask(
        up.database_url, "CREATE EXTENSION IF NOT EXISTS pg_trgm", "SELECT similarity('心内科', '心内') > 0.3"
    )


def test_an_owner_killed_with_clients_connected_leaves_no_orphan(own: Own) -> None:
    owner = own()
    up = owner.up()

    async def connected() -> None:
        connection = await asyncpg.connect(up.database_url)
        owner.kill()
        await until(lambda: ended(up.postgres, up.valkey), "the servers end with their owner")
        connection.terminate()

    apart(connected())


def test_valkey_ends_in_good_order_with_an_owner_that_is_killed(own: Own, data: Path) -> None:
    owner = own()
    up = owner.up()
    remember(up)
    (log := data / "valkey.log").write_text("")

    owner.kill()

    wait_until(lambda: ended(up.postgres, up.valkey), "the servers end with their owner")
    said = log.read_text()
    assert "Received SIGTERM" in said
    assert "Calling fsync() on the AOF file" in said
    assert "now ready to exit, bye bye" in said
    assert remembered(own().up())


def test_control_the_other_signal_would_leave_postgresql_waiting_for_its_clients(
    own: Own, data: Path
) -> None:
    up = own().up()

    async def connected() -> None:
        connection = await asyncpg.connect(up.database_url)
        os.kill(up.postgres, signal.SIGTERM)
        await until(lambda: "smart shutdown" in (data / "postgresql.log").read_text(), "it heard the signal")
        assert await connection.fetchval("SELECT 1") == 1
        assert not ended(up.postgres)
        await connection.close()

    apart(connected())


def test_killed_and_started_again_at_once_it_waits_for_the_stopping_servers_and_lost_nothing(
    own: Own,
) -> None:
    first = own()
    remember(first.up())
    first.process.kill()

    assert remembered(own().up())


def test_killed_during_the_very_first_initdb_it_starts_all_the_same(own: Own, fresh: Path) -> None:
    first = own(fresh)
    wait_until((fresh / "pg.tmp" / "PG_VERSION").exists, "initdb is at work")
    first.kill()
    assert not (fresh / "pg").exists()

    up = own(fresh).up()

    assert ask(up.database_url, "SELECT 1") == 1
    assert not (fresh / "pg.tmp").exists()


def test_a_second_start_on_the_same_folder_is_refused_in_one_line(own: Own) -> None:
    first = own()
    up = first.up()

    second = own()

    complaint = second.refusal()
    assert second.process.returncode == 2
    assert complaint.count("\n") == 1
    assert f"in use by a running `make run` (pid {first.process.pid})" in complaint
    assert ask(up.database_url, "SELECT 1") == 1


def test_a_killed_server_is_noticed_and_the_other_one_can_still_be_stopped(data: Path) -> None:
    stores = EmbeddedStores.start(data, scratch=True)
    try:
        assert stores.ended() is None
        stores._servers["Valkey"].kill()
        wait_until(lambda: str(stores.ended()) == "Valkey was killed (SIGKILL)", "its end is noticed")
    finally:
        stores.stop()
        stores.stop()

    again = EmbeddedStores.start(data, scratch=True)
    again.stop()


def test_they_are_started_on_the_main_thread_only(fresh: Path) -> None:
    refusals: list[RuntimeError] = []

    def start() -> None:
        try:
            EmbeddedStores.start(fresh)
        except RuntimeError as refused:
            refusals.append(refused)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()

    assert len(refusals) == 1


def test_other_commands_find_the_stores_of_a_running_owner(own: Own, data: Path) -> None:
    owner = own()
    up = owner.up()

    attached = attach(data)

    assert attached.pid == owner.process.pid
    assert (attached.redis_url, attached.database_url) == (up.redis_url, up.database_url)
    assert attached.versions == up.versions


def test_without_a_running_owner_other_commands_say_what_to_do(own: Own, data: Path) -> None:
    with pytest.raises(BootError, match="start `make run` first"):
        attach(data)
    owner = own()
    owner.up()
    owner.kill()
    assert (data / "run.json").exists()

    with pytest.raises(BootError, match="start `make run` first"):
        attach(data)


def test_another_process_with_the_dead_owner_s_number_is_not_the_owner(own: Own, data: Path) -> None:
    owner = own()
    up = owner.up()
    written = (data / "run.json").read_text().replace(f'"pid": {owner.process.pid}', f'"pid": {os.getpid()}')
    (data / "run.json").write_text(written)

    assert not ended(os.getpid(), up.postgres)
    with pytest.raises(BootError, match="start `make run` first"):
        attach(data)


async def test_other_commands_notice_when_the_owner_ends(own: Own, data: Path) -> None:
    owner = own()
    owner.up()
    attached = attach(data)
    gone = asyncio.create_task(attached.owner_gone())
    await asyncio.sleep(0)
    assert not gone.done()

    owner.process.kill()

    async with asyncio.timeout(10):
        await gone
    await attached.owner_gone()


@pytest.mark.parametrize("moment", ["lock", "valkey.log", "pg/postmaster.pid", "run.json"])
def test_killed_at_any_moment_of_its_start_the_next_one_starts(own: Own, data: Path, moment: str) -> None:
    for old in ("lock", "valkey.log", "pg/postmaster.pid", "run.json"):
        (data / old).unlink(missing_ok=True)
    first = own()
    wait_until((data / moment).exists, f"{moment} is there")
    first.process.kill()

    assert ask(own().up().database_url, "SELECT 1") == 1
