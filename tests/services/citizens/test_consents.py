"""Consents: asked purpose by purpose, kept with the hash of what was shown, over when the text changes."""

import hashlib
import itertools
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from core.clock import ManualClock
from core.effects import Effect
from core.errors import BootError
from core.stores.database import Database
from services.citizens import consents_store
from services.citizens.consent_texts import FAMILY, HEALTH, IDENTITY, PURPOSES, Texts
from services.citizens.consents import ConsentMissing, ConsentOver, Consents
from tests.support.rights import TEXTS
from tests.support.talk import words_of
from tests.support.wording import TEMPLATES

ME = "c_0123456789abcdef"
_numbers = itertools.count()
SOMEBODY = "c_somebodyelse012"


@pytest.fixture
def consents(db: Database, clock: ManualClock) -> Consents:
    return Consents(db, clock, TEXTS)


def once(step: str) -> Effect:
    return Effect(f"city:1:m:{step}", step, step.encode())


async def agrees(consents: Consents, purpose: str = HEALTH, person: str = "", *scopes: str) -> None:
    number = next(_numbers)
    await consents.ask(ME, purpose, person, scopes, once(f"ask {number}"))
    await consents.grant(ME, purpose, person, "city:1:m:7", once(f"grant {number}"))


async def may(consents: Consents, db: Database, purpose: str = HEALTH, *scopes: str) -> bool:
    async with db.transaction() as tx:
        try:
            await consents.require(tx, ME, purpose, scopes=scopes)
        except ConsentMissing:
            return False
    return True


async def test_nobody_has_agreed_to_what_they_were_not_asked(consents: Consents, db: Database) -> None:
    assert (await consents.state(ME, HEALTH)).state == "never"
    assert not await may(consents, db)


async def test_what_was_shown_and_where_it_was_said_is_kept(consents: Consents, db: Database) -> None:
    await agrees(consents)
    assert await may(consents, db)
    row = await consents_store.one(db, ME, HEALTH, None)
    assert row is not None
    file = TEMPLATES / "consent" / HEALTH / f"{row['version']}.txt"
    assert row["text_hash"] == hashlib.sha256(file.read_bytes()).digest()
    assert (row["message"], row["decided_at"]) == ("city:1:m:7", row["changed_at"])


async def test_each_purpose_is_agreed_to_by_itself_and_by_nobody_else(
    consents: Consents, db: Database
) -> None:
    await agrees(consents)
    assert not await may(consents, db, FAMILY)
    assert (await consents.state(SOMEBODY, HEALTH)).state == "never"
    assert not (await consents.state(ME, HEALTH, "p_0123456789abcdef")).is_granted, "of another person"


async def test_a_refusal_is_kept_and_can_be_thought_better_of(consents: Consents, db: Database) -> None:
    await consents.ask(ME, HEALTH, "", (), once("ask"))
    await consents.refuse(ME, HEALTH, "", "city:1:m:7", once("refuse"))
    assert (await consents.state(ME, HEALTH)).state == "refused"
    assert not await may(consents, db)
    await agrees(consents)
    assert await may(consents, db)


async def test_an_asking_lapses_after_seven_days(
    consents: Consents, db: Database, clock: ManualClock
) -> None:
    await consents.ask(ME, HEALTH, "", (), once("ask"))
    clock.move(timedelta(days=7) - timedelta(seconds=1))
    assert (await consents.state(ME, HEALTH)).state == "asked"
    assert await consents.lapse() == 0
    clock.move(timedelta(seconds=1))
    assert (await consents.state(ME, HEALTH)).state == "lapsed"
    with pytest.raises(ConsentOver):
        await consents.grant(ME, HEALTH, "", "city:1:m:7", once("grant"))
    assert await consents.lapse() == 1
    assert await consents.lapse() == 0
    assert not await may(consents, db)


async def test_what_is_withdrawn_holds_at_once_no_more(consents: Consents, db: Database) -> None:
    await agrees(consents)
    assert await consents.withdraw(ME, HEALTH, "", once("withdraw")) == "1"
    assert not await may(consents, db)
    assert await consents.withdraw(ME, HEALTH, "", once("again")) == ""
    assert (await consents.state(ME, HEALTH)).state == "withdrawn"


async def test_a_new_text_is_asked_anew(
    db: Database, clock: ManualClock, consents: Consents, newer: Texts
) -> None:
    await agrees(consents)
    later = Consents(db, clock, newer)
    assert (await later.state(ME, HEALTH)).state == "superseded"
    assert not await may(later, db)
    await agrees(later)
    assert await may(later, db)
    steps = [row["what"] for row in await consents_store.history(db, ME)]
    assert steps == ["asked", "granted", "superseded", "asked", "granted"]


async def test_a_wider_scope_is_asked_anew_and_a_narrower_is_not(consents: Consents, db: Database) -> None:
    await agrees(consents, HEALTH, "", "report", "record")
    assert await may(consents, db, HEALTH, "report")
    assert not await may(consents, db, HEALTH, "glucose")
    assert (await consents.state(ME, HEALTH, scopes=["glucose"])).state == "superseded"


async def test_an_answer_counts_for_the_text_it_was_given_to(
    db: Database, clock: ManualClock, consents: Consents, newer: Texts
) -> None:
    await consents.ask(ME, HEALTH, "", (), once("ask"))
    later = Consents(db, clock, newer)  # another text came with a deploy, between question and answer
    assert await later.grant(ME, HEALTH, "", "city:1:m:7", once("grant")) == "1"
    assert not await may(later, db)


async def test_the_same_step_again_is_one_step(consents: Consents, db: Database) -> None:
    for _ in range(2):
        await consents.ask(ME, HEALTH, "", (), once("ask"))
        await consents.grant(ME, HEALTH, "", "city:1:m:7", once("grant"))
    await consents.ask(ME, HEALTH, "", (), once("another run"))
    assert [row["what"] for row in await consents_store.history(db, ME)] == ["asked", "granted"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consents SET state = 'asked', what = 'withdrawn'",
        "UPDATE consents SET state = 'refused', what = 'refused'",
        "UPDATE consents SET what = 'withdrawn', state = 'withdrawn', version = 2",
        "UPDATE consents SET citizen = 'c_somebodyelse0123', what = 'withdrawn', state = 'withdrawn'",
        "DELETE FROM consents",
        "UPDATE consent_events SET message = ''",
        "DELETE FROM consent_events",
    ],
)
async def test_no_statement_goes_around_the_machine(consents: Consents, db: Database, statement: str) -> None:
    await agrees(consents)
    with pytest.raises((asyncpg.CheckViolationError, asyncpg.RestrictViolationError)):
        await db.execute(statement)


async def test_the_events_tell_what_the_rows_say(consents: Consents, db: Database) -> None:
    await agrees(consents, IDENTITY)
    await agrees(consents)
    await consents.withdraw(ME, IDENTITY, "", once("withdraw"))
    last = await db.fetch(
        """
        SELECT DISTINCT ON (e.consent) e.consent AS id, e.new AS state, e.version, e.text_hash, e.scopes
        FROM consent_events e ORDER BY e.consent, e.id DESC
        """
    )
    rows = await db.fetch("SELECT id, state, version, text_hash, scopes FROM consents ORDER BY id")
    assert [dict(row) for row in last] == [dict(row) for row in rows]


# --- texts ---


@pytest.mark.parametrize("purpose", PURPOSES)
def test_each_text_is_shown_as_it_is_hashed(purpose: str) -> None:
    text = TEXTS.current(purpose)
    shown = words_of().render(f"consent/{purpose}/{text.version}")
    assert shown == f"{text.title}\n{text.summary}\n\n{text.whole}"
    assert "不同意也没关系" in text.whole, "a refusal blocks only what needs the data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for purpose in PURPOSES:
        (tmp_path / purpose).mkdir()
        (tmp_path / purpose / "1.txt").write_text("名\n一句话\n\n全文\n", "utf-8")
    return tmp_path


@pytest.fixture
def newer(folder: Path) -> Texts:
    """The same purposes, one of which has a second version."""
    for purpose in PURPOSES:
        (folder / purpose / "1.txt").write_bytes((TEMPLATES / "consent" / purpose / "1.txt").read_bytes())
    (folder / HEALTH / "2.txt").write_text("新的\n一句话\n\n全文\n", "utf-8")
    return Texts(folder)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("3.txt", "名\n一句话\n\n全文", "2.txt is missing"),
        ("one.txt", "名\n一句话\n\n全文", "2.txt is missing"),
        ("1.txt", "名\n一句话", "behind an empty line"),
        ("1.txt", "名\n\n全文", "lines after the title"),
        ("1.txt", "名\n一\n二\n三\n\n全文", "lines after the title"),
        ("1.txt", "一二三四五六七八九十一二三\n一句话\n\n全文", "the title"),
        ("1.txt", "名\n一句话\n\n{{ it }}", "no placeholders"),
        ("1.txt", "名\n一句话\n\n" + "长" * 600, "1500 bytes"),
    ],
)
def test_a_text_that_cannot_be_shown_stops_the_boot(folder: Path, name: str, text: str, says: str) -> None:
    (folder / HEALTH / name).write_text(text, "utf-8")
    with pytest.raises(BootError, match=says):
        Texts(folder)


def test_a_purpose_without_a_text_or_without_a_use_stops_the_boot(folder: Path) -> None:
    (folder / "weather").mkdir()
    with pytest.raises(BootError, match="weather"):
        Texts(folder)
    (folder / "weather").rmdir()
    (folder / HEALTH / "1.txt").unlink()
    with pytest.raises(BootError, match=r"write 1\.txt"):
        Texts(folder)


def test_versions_are_counted_not_spelled(folder: Path) -> None:
    for number in range(2, 12):
        (folder / HEALTH / f"{number}.txt").write_text(f"名{number}\n一句话\n\n全文", "utf-8")
    assert Texts(folder).current(HEALTH).version == 11
    assert Texts(folder).shown(HEALTH, 2) is not None
    assert Texts(folder).shown(HEALTH, 12) is None
