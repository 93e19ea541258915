"""`transit`: gates are registered, listed and revoked at the terminal; what nobody believes is listed."""

import json
import shutil
from dataclasses import replace

import asyncpg
import pytest

from commands.places import DEMO_TRANSIT
from core.clock import ManualClock
from core.stores.database import Database
from gate.settings import load
from services.transit.pairing import Way
from services.transit.taps import Taps
from tests.commands.conftest import Own, Tell
from tests.services.transit.line import TIMETABLE, Line, after
from tests.support.stores import run_apart
from tests.webhooks.gating import KEY
from webhooks.api.signed import encoded

PUBLIC = encoded(KEY.public_key().public_bytes_raw())
STANDS = ("--key", PUBLIC, "--line", "m2", "--station", "zhongnan")
SAID = json.dumps(
    {"seq": 1, "at": 17, "way": "in", "line": "\u202em", "station": "zhongnan", "vehicle": "", "code": "c"}
)


def told(database_url: str, sql: str, *values: object) -> list[tuple[object, ...]]:
    """What the database says to a statement."""
    found: list[tuple[object, ...]] = []

    async def ask() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            found.extend(map(tuple, await connection.fetch(sql, *values)))
        finally:
            await connection.close()

    run_apart(ask())
    return found


def test_a_gate_is_registered_listed_and_revoked(own: Own, tell: Tell) -> None:
    assert "no gate yet" in tell(own.folder, "transit", "device", "list").out
    said = tell(own.folder, "transit", "device", "add", "g-zn-1", *STANDS)
    assert said.code == 0
    assert said.out.startswith("g-zn-1 is heard, from line m2, zhongnan; its gate.toml:\n\n")
    bus = ("--key", PUBLIC + "=", "--line", "bus-15", "--vehicle", "E1234")
    assert tell(own.folder, "transit", "device", "add", "v-e1234", *bus).code == 0
    rows = told(own.database_url, "SELECT id, public_key, line, station, vehicle FROM transit_devices")
    key = KEY.public_key().public_bytes_raw()
    assert set(rows) == {
        ("g-zn-1", key, "m2", "zhongnan", ""),
        ("v-e1234", key, "bus-15", "", "E1234"),
    }
    first = tell(own.folder, "transit", "device", "list", "--limit", "1")
    assert "g-zn-1" in first.out
    assert "more: .venv/bin/python main.py transit device list --after g-zn-1" in first.out
    assert tell(own.folder, "transit", "device", "revoke", "g-zn-1").code == 0
    lines = tell(own.folder, "transit", "device", "list").out.splitlines()
    assert [("revoked" in line, "heard" in line) for line in lines] == [(True, False), (False, True)]
    assert "no other gate" in tell(own.folder, "transit", "device", "list", "--after", "zzz").out


def test_a_name_is_never_given_twice(own: Own, tell: Tell) -> None:
    for expected in (0, 2):
        assert tell(own.folder, "transit", "device", "add", "g-zn-1", *STANDS).code == expected
    tell(own.folder, "transit", "device", "revoke", "g-zn-1")
    refused = tell(own.folder, "transit", "device", "add", "g-zn-1", *STANDS)
    assert (refused.code, "never given twice" in refused.line) == (2, True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        (("Gate!", *STANDS), "'Gate!'"),
        (("g", "--key", "AAAA", *STANDS[2:]), "--key"),
        (("g", "--key", "é", *STANDS[2:]), "--key"),
        (("g", *STANDS[:3], "m9", *STANDS[4:]), "--line 'm9'"),
        (("g", *STANDS[:5], "wuhan"), "--station 'wuhan'"),
        (("g", *STANDS[:4], "--vehicle", "E1"), "--vehicle 'E1'"),
        (("g", "--key", PUBLIC, "--line", "bus-15", "--station", "zhongnan"), "--station 'zhongnan'"),
    ],
)
def test_what_does_not_fit_is_named(own: Own, tell: Tell, changes: tuple[str, ...], word: str) -> None:
    refused = tell(own.folder, "transit", "device", "add", *changes)
    assert (refused.code, word in refused.line) == (2, True)


def test_nobody_is_revoked_who_is_not_there(own: Own, tell: Tell) -> None:
    refused = tell(own.folder, "transit", "device", "revoke", "g-x")
    assert (refused.code, "'g-x'" in refused.line) == (2, True)


def test_what_nobody_believes_is_listed_page_by_page_without_its_code(own: Own, tell: Tell) -> None:
    assert "nothing is in quarantine" in tell(own.folder, "transit", "quarantine").out
    tell(own.folder, "transit", "device", "add", "g-zn-1", *STANDS)
    told(
        own.database_url,
        """
        INSERT INTO transit_quarantine (device, seq, digest, reason, said, arrived_at)
        SELECT 'g-zn-1', n, decode(md5(n::text), 'hex'), 'future', $1::text::jsonb, now()
        FROM generate_series(1, 3) AS n RETURNING id
        """,
        SAID,
    )
    page = tell(own.folder, "transit", "quarantine", "--limit", "2").out
    assert [line.split()[4:] for line in page.splitlines()[:2]] == [
        [seq, "future", "in", "m,", "zhongnan,", "at", "17"] for seq in ("3", "2")
    ]
    more = page.splitlines()[-1].split("transit ")[1].split()
    assert [line.split()[4] for line in tell(own.folder, "transit", *more).out.splitlines()] == ["1"]
    assert "nothing" in tell(own.folder, "transit", "quarantine", "--device", "g-other").out
    assert tell(own.folder, "transit", "quarantine", "--limit", "0").code == 2


def test_the_operator_sees_whatever_gates_sent_that_nobody_believes(own: Own, tell: Tell) -> None:
    """The bad input of every kind, through the real ingest, and not one of them lost."""
    assert "nothing is in quarantine" in tell(own.folder, "transit", "quarantine").out  # and it is migrated
    reasons: list[str] = []
    run_apart(sent_wrongly(own.database_url, reasons))
    page = tell(own.folder, "transit", "quarantine").out
    assert [line.split()[5] for line in page.splitlines()] == reasons
    assert len(set(reasons)) == len(reasons) == 9


async def sent_wrongly(database_url: str, reasons: list[str]) -> None:
    """One tap of each kind; the reasons, the last first."""
    db = await Database.open(database_url)
    try:
        line = Line(db, ManualClock(after(240)))
        device, good = await line.tap(await line.rider(), "zhongnan", "in", after(0))
        line.taps = Taps(db, TIMETABLE.network)
        assert (await line.uploads(device, good)).accepted == [1]
        wrong = [
            replace(good, seq=11, at=good.at + 86_400_000),
            replace(good, seq=12, at=-1),
            replace(good, seq=13, line="m9"),
            replace(good, seq=14, code=b"no code"),
            replace(good, seq=15, way=Way.BOARD),
            replace(good, seq=16, code=good.code[:4] + bytes(16) + good.code[20:]),
            replace(good, seq=17, at=good.at + 3_600_000),
            replace(good, seq=1, at=good.at + 1),
            replace(good, seq=18),
        ]
        told = await line.uploads(device, *wrong)
        assert {*told.quarantined} == {each.seq for each in wrong}
        assert not (await line.uploads(device, *wrong)).accepted, "twice is once"
        rows = await db.fetch("SELECT reason FROM transit_quarantine ORDER BY id DESC")
        reasons.extend(row["reason"] for row in rows)
    finally:
        await db.close()


@pytest.mark.parametrize(
    ("name", "where", "way"),
    [
        ("g-zn-1", ("--line", "m2", "--station", "zhongnan"), "in"),
        ("v-e1234", ("--line", "bus-15", "--vehicle", "E1234"), "board"),
    ],
)
def test_a_gate_takes_what_is_printed_for_it(
    own: Own, tell: Tell, name: str, where: tuple[str, ...], way: str
) -> None:
    said = tell(own.folder, "transit", "device", "add", name, "--key", PUBLIC, *where).out
    path = own.folder / "gate.toml"
    path.write_text(said.partition("\n\n")[2], "utf-8")
    found = load(path)
    assert (found.device, found.way, found.line) == (name, way, where[1])
    assert where[3] in {found.station, found.vehicle}
    assert found.server == "http://127.0.0.1:8080"


def test_an_operator_suspends_and_restores_and_the_reason_is_kept(own: Own, tell: Tell) -> None:
    told(own.database_url, "INSERT INTO citizens (id) VALUES ('c_0000000000000001') RETURNING id")
    told(
        own.database_url,
        """
        INSERT INTO transit_accounts (id, citizen, state, since, what, who, key, changed_at)
        VALUES ('t_0000000000000001', 'c_0000000000000001', 'consent', now(), 'asked', 'her', 'open', now())
        RETURNING id
        """,
    )
    why = ("--reason", "two phones,\n one code", "--by", "li.wei")
    said = tell(own.folder, "transit", "suspend", "c_0000000000000001", *why)
    assert (said.code, "is suspended by li.wei" in said.out) == (0, True)
    again = tell(own.folder, "transit", "suspend", "t_0000000000000001", *why)
    assert (again.code, "already" in again.out) == (0, True)
    shown = tell(own.folder, "transit", "account", "t_0000000000000001").out.splitlines()
    assert shown[0] == "t_0000000000000001 is suspended"
    assert shown[1].endswith("li.wei: two phones, one code")
    back = tell(own.folder, "transit", "restore", "t_0000000000000001", *why)
    assert back.out.strip() == "t_0000000000000001 is restored by li.wei, and consent"
    refused = tell(own.folder, "transit", "restore", "t_0000000000000001", *why)
    assert (refused.code, refused.line) == (1, "bianmin: t_0000000000000001 is not suspended")


@pytest.mark.parametrize(
    ("name", "reason", "word"),
    [("c_nobody", "why", "'c_nobody'"), ("c_1", " ", "--reason"), ("c_1", "x" * 201, "--reason")],
)
def test_nobody_is_suspended_without_a_reason_or_an_account(
    own: Own, tell: Tell, name: str, reason: str, word: str
) -> None:
    refused = tell(own.folder, "transit", "suspend", name, "--reason", reason)
    assert (refused.code, word in refused.line) == (2, True)


def test_a_gate_stands_on_a_line_of_the_settings(own: Own, tell: Tell) -> None:
    shutil.copytree(DEMO_TRANSIT, own.folder / "lines")
    network = own.folder / "lines" / "network.toml"
    network.write_text(network.read_text("utf-8").replace('"zhongnan"', '"elsewhere"'), "utf-8")
    with (own.folder / "bianmin.toml").open("a", encoding="utf-8") as file:
        file.write('[transit]\nfolder = "lines"\n')
    assert tell(own.folder, "transit", "device", "add", "g-zn-1", *STANDS).line.endswith(
        "does not stop there"
    )
    here = ("--key", PUBLIC, "--line", "m2", "--station", "elsewhere")
    assert tell(own.folder, "transit", "device", "add", "g-zn-1", *here).code == 0, "the control"


def test_days_that_could_not_be_settled_are_listed(own: Own, tell: Tell) -> None:
    assert "every day is settled" in tell(own.folder, "transit", "unsettled").out
    told(own.database_url, "INSERT INTO citizens (id) VALUES ('c_0000000000000001')")
    for number in range(3):
        account = f"t_{number:016d}"
        told(
            own.database_url,
            """
            WITH made AS (INSERT INTO transit_accounts (id, citizen, state, since, what, who, key, changed_at)
                VALUES ($1, 'c_0000000000000001', 'consent', now(), 'asked', 'test', 'k', now()) RETURNING id)
            INSERT INTO transit_due (account, day, since, tries, not_before)
            SELECT $1, '2026-11-23', now(), $2, '2026-11-24 01:00Z' FROM made
            """,
            account,
            number,
        )
    first = tell(own.folder, "transit", "unsettled", "--limit", "1")
    assert first.out.startswith(
        "t_0000000000000001/2026-11-23  failed 1 time, tried again 2026-11-24 09:00:00\n"
    )
    assert "unsettled --after t_0000000000000001/2026-11-23\n" in first.out
    rest = tell(own.folder, "transit", "unsettled", "--after", "t_0000000000000001/2026-11-23")
    assert rest.out == "t_0000000000000002/2026-11-23  failed 2 times, tried again 2026-11-24 09:00:00\n"
    wrong = tell(own.folder, "transit", "unsettled", "--after", "t_0000000000000001/2026-02-30")
    assert (wrong.code, "as they are listed" in wrong.line) == (2, True)


def test_codes_that_let_several_in_are_listed_by_days(own: Own, tell: Tell) -> None:
    assert tell(own.folder, "transit", "repeated").out == "none in 7 days\n"
    assert tell(own.folder, "transit", "repeated", "--days", "1", "--before", "9").out == "nothing earlier\n"


def test_a_tap_that_is_nobodys_is_not_taken_in(own: Own, tell: Tell) -> None:
    nobody = tell(own.folder, "transit", "take-in", "9", "--reason", "why not")
    assert (nobody.code, "nothing is kept aside under it" in nobody.line) == (2, True)
    tell(own.folder, "transit", "device", "add", "g-zn-1", *STANDS)
    said = SAID.replace(chr(92) + "u202em", "m2").replace('"c"', '"YWJj"')
    told(
        own.database_url,
        """
        INSERT INTO transit_quarantine (device, seq, digest, reason, said, arrived_at)
        SELECT 'g-zn-1', 1, decode(md5('x'), 'hex'), 'clock', $1::text::jsonb, now()
        """,
        said,
    )
    refused = tell(own.folder, "transit", "take-in", "1", "--reason", "its clock was off", "--by", "lin")
    assert (refused.code, "1 cannot be taken in: clock" in refused.line) == (1, True)
