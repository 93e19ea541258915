"""Replaying what happened from empty gives the bindings as they are (invariant 2)."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Database
from tests.services.citizens.kin import Kin, Person, once

_COLUMNS = ("citizen", "person", "relation", "state", "proof", "proven_by", "scopes", "made_at", "decided_at")
_DECISIONS = {"approved", "refused", "withdrawn", "expired", "revoked", "replaced"}


async def as_it_stands(db: Database) -> dict[int, dict[str, Any]]:
    rows = await db.fetch("SELECT * FROM bindings ORDER BY id")
    return {row["id"]: {column: row[column] for column in _COLUMNS} for row in rows}


async def replayed(db: Database) -> dict[int, dict[str, Any]]:
    """The bindings as they follow from the events alone; each step leads from where the last one led."""
    found: dict[int, dict[str, Any]] = {}
    for event in await db.fetch("SELECT * FROM citizen_events WHERE binding IS NOT NULL ORDER BY id"):
        before = found.get(event["binding"])
        assert event["old"] == ("" if before is None else before["state"])
        told = {
            column: event[column]
            for column in ("citizen", "person", "relation", "proof", "proven_by", "scopes")
        }
        found[event["binding"]] = {
            **told,
            "state": event["new"],
            "made_at": event["at"] if before is None else before["made_at"],
            "decided_at": event["at"]
            if event["what"] in _DECISIONS
            else None
            if before is None
            else before["decided_at"],
        }
    return found


async def walk(kin: Kin, steps: list[tuple[int, int, int]]) -> None:
    """Whatever these people do; most of it is refused."""
    people = [
        await kin.person(name, born=born)
        for name, born in (("王小明", "19800101"), ("李桂芳", "19491231"), ("王豆豆", "20200601"))
    ]
    kin.clinic.guardians |= {(one.number, two.number) for one in people for two in people}
    for what, who, whom in steps:
        try:
            await step(kin, people[who], people[whom], what)
        except DomainError:
            continue
    await kin.proving.expire()


async def step(kin: Kin, who: Person, whom: Person, what: int) -> None:
    mine = await kin.db.fetch(
        "SELECT id FROM bindings WHERE citizen = $1 ORDER BY id DESC LIMIT 2", who.citizen
    )
    latest = str(mine[what % len(mine)]["id"])
    match what:
        case 0:
            await kin.asks(who, whom, "self" if who is whom else "other", "book", "report")
        case 1:
            await kin.asks(who, whom, "self" if who is whom else "mother")
        case 2 | 3:
            await kin.by_code(who, latest)
        case 4:
            await kin.proving.approve_at_counter(latest, "window", once())
        case 5:
            await kin.proving.check_roster(latest, who.citizen, "first", once())
        case 6 | 7:
            waits = await kin.families.asked_of(whom.citizen)
            answer = kin.proving.approve if what == 6 else kin.proving.refuse
            await answer(waits[0].binding if waits else latest, whom.citizen, once())
        case 8:
            await kin.proving.withdraw(latest, who.citizen, once())
        case 9:
            holders = await kin.families.holders(whom.citizen)
            await kin.families.revoke(holders[0].binding if holders else latest, whom.citizen, once())
        case 10:
            kin.passes(timedelta(hours=13))
            await kin.proving.expire()
        case _:
            who.citizen = await kin.citizens.unite(who.conversation, "union")


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 11), st.integers(0, 2), st.integers(0, 2)), min_size=5, max_size=30
    )
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_events_of_any_walk_give_its_bindings(
    db: Database, seal: Seal, clock: ManualClock, steps: list[tuple[int, int, int]]
) -> None:
    await forget(db)
    await walk(Kin(db, seal, clock), steps)
    assert await replayed(db) == await as_it_stands(db)
    for wrong in _NEVER:
        assert await db.fetch(wrong) == []


async def forget(db: Database) -> None:
    await db.execute(
        "TRUNCATE citizens, accounts, persons, bindings, citizen_events, kept_dialogues, binding_attempts, "
        "patient_references, effects, outbox, versions CASCADE"
    )


_NEVER = (
    # an unproven one that is no self, or more than the three scopes
    """SELECT id FROM bindings WHERE state = 'active' AND proof IS NULL
       AND (relation NOT IN ('self', 'former') OR NOT scopes <@ ARRAY['book', 'pay', 'queue'])""",
    # a registered person held without a proof, or somebody unknown held with one
    """SELECT b.id FROM bindings b JOIN persons p ON p.id = b.person
       WHERE b.state = 'active' AND (p.identity IS NOT NULL) <> (b.proof IS NOT NULL)""",
    # more than five persons, more than four accounts
    """SELECT citizen FROM bindings WHERE state = 'active' AND relation <> 'former'
       GROUP BY citizen HAVING count(*) > 5""",
    "SELECT person FROM bindings WHERE state = 'active' GROUP BY person HAVING count(*) > 4",
    # a citizen with an account and no self
    """SELECT a.citizen FROM accounts a WHERE NOT EXISTS (
           SELECT FROM bindings b
           WHERE b.citizen = a.citizen AND b.relation = 'self' AND b.state = 'active')""",
    # what was entered, kept after the end
    "SELECT id FROM bindings WHERE state <> 'requested' AND (sealed IS NOT NULL OR target IS NOT NULL)",
    """SELECT k.binding FROM kept_dialogues k JOIN bindings b ON b.id = k.binding
       WHERE b.state NOT IN ('requested', 'active')""",
)


async def test_a_step_is_one_event_and_no_event_is_rewritten(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    asked = await kin.asks(son, mother)
    await kin.proving.approve(asked, mother.citizen, once())
    await kin.families.revoke(asked, mother.citizen, once())
    rows = await kin.db.fetch("SELECT * FROM citizen_events WHERE binding = $1 ORDER BY id", int(asked))
    assert [(row["old"], row["what"], row["new"]) for row in rows] == [
        ("", "asked", "requested"),
        ("requested", "approved", "active"),
        ("active", "revoked", "revoked"),
    ]
    assert [row["who"] for row in rows] == [son.citizen, mother.citizen, mother.citizen]
    assert all(row["key"].startswith("run") for row in rows)
    for wrong in ("UPDATE citizen_events SET who = 'x'", "DELETE FROM citizen_events"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await kin.db.execute(wrong)


async def test_a_step_that_is_not_in_the_machine_is_refused(kin: Kin) -> None:
    son, mother = await kin.person("王小明"), await kin.person("李桂芳", proven=True)
    asked = int(await kin.asks(son, mother))
    for wrong in (
        "UPDATE bindings SET state = 'rejected', sealed = NULL, target = NULL, asker = NULL WHERE id = $1",
        "UPDATE bindings SET expires_at = expires_at + interval '1 day' WHERE id = $1",
        "UPDATE bindings SET what = 'revoked', state = 'revoked' WHERE id = $1",
        "UPDATE bindings SET ticket = 'abcdefghijklmnopqrstuvwxyz', what = 'joined' WHERE id = $1",
        "UPDATE bindings SET scopes = ARRAY['record'], what = 'joined' WHERE id = $1",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            await kin.db.execute(wrong, asked)
