"""Name and ID number alone never make an active binding: by no path of ours, and by no statement (B3).

The published case: whoever had the two could bind, and an ex-husband read records that were none of his.
"""

from contextlib import suppress

import asyncpg
import pytest

from core.errors import DomainError
from tests.services.citizens.kin import Kin, Person, once


async def asked_by(kin: Kin) -> tuple[Person, Person, str]:
    """Somebody who knows her name and number, herself with a proven self, and his request."""
    he, she = await kin.person("前夫"), await kin.person("李桂芳", proven=True)
    return he, she, await kin.asks(he, she, "spouse", "book", "record")


async def test_no_call_without_a_proof_makes_one(kin: Kin) -> None:
    he, she, asked = await asked_by(kin)
    me = he.citizen
    calls = (
        lambda: kin.asks(he, she, "spouse", "book", "record"),
        lambda: kin.asks(he, she, "self"),
        lambda: kin.proving.ask_person(asked, me, once()),
        lambda: kin.proving.send_code(asked, me, "first", once()),
        lambda: kin.proving.check_code(asked, me, "", once()),
        lambda: kin.proving.check_code(asked, me, "000000", once()),
        lambda: kin.proving.check_roster(asked, me, "first", once()),
        lambda: kin.proving.approve(asked, me, once()),
        lambda: kin.proving.keep(asked, me, b"kept", "挂号"),
        lambda: kin.proving.drop(asked, me, once()),
        lambda: kin.proving.refuse(asked, me, once()),
        lambda: kin.families.revoke(asked, me, once()),
        kin.proving.expire,
    )
    for call in calls:
        with suppress(DomainError):
            await call()
        (only,) = await kin.families.people(me)
        assert only.title == "本人"
        assert only.name == ""
        person = await kin.citizens.self_person(she.citizen)
        async with kin.db.transaction() as tx:
            assert await kin.families.active(tx, me, person, "book") is None


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE bindings SET state = 'active' WHERE id = $1",
        "UPDATE bindings SET state = 'active', what = 'approved' WHERE id = $1",
        "UPDATE bindings SET state = 'active', what = 'approved', person = {hers} WHERE id = $1",
        """UPDATE bindings SET state = 'active', what = 'approved', person = {hers}, sealed = NULL,
                  target = NULL WHERE id = $1""",
        """UPDATE bindings SET state = 'active', what = 'bound', person = {hers}, relation = 'self',
                  sealed = NULL, target = NULL WHERE id = $1""",
        """UPDATE bindings SET state = 'active', what = 'approved', person = {hers}, relation = 'self',
                  sealed = NULL, target = NULL, scopes = ARRAY['book'] WHERE id = $1""",
        # a yes that nobody said who could have
        """UPDATE bindings SET state = 'active', what = 'approved', person = {hers}, proof = 'person',
                  proven_by = citizen, sealed = NULL, target = NULL WHERE id = $1""",
        """UPDATE bindings SET state = 'active', what = 'approved', person = {hers}, proof = 'person',
                  proven_by = 'c_nobody', sealed = NULL, target = NULL WHERE id = $1""",
        # a proof with nobody behind it
        """UPDATE bindings SET state = 'active', what = 'approved', person = {hers}, proof = 'counter',
                  sealed = NULL, target = NULL WHERE id = $1""",
        "UPDATE bindings SET proof = 'counter', proven_by = 'x' WHERE id = $1",
        # what he holds already turned into hers
        "UPDATE bindings SET person = {hers} WHERE id = $1 - 1 AND $1 > 0",
        """UPDATE bindings SET person = {hers}, what = 'former', relation = 'former'
           WHERE citizen = {he} AND $1 > 0""",
        "UPDATE bindings SET relation = 'spouse' WHERE citizen = {he} AND state = 'active' AND $1 > 0",
        "UPDATE bindings SET scopes = ARRAY['record'] WHERE citizen = {he} AND $1 > 0",
        "UPDATE bindings SET citizen = {he} WHERE person = {hers} AND $1 > 0",
        """UPDATE bindings SET citizen = {he}, what = 'joined'
           WHERE person = {hers} AND state = 'active' AND $1 > 0""",
        # new rows
        """INSERT INTO bindings (citizen, person, relation, state, scopes, who, what, key)
           SELECT {he}, {hers}, 'spouse', 'active', ARRAY['book'], 'x', 'bound', 'x' WHERE $1 > 0""",
        """INSERT INTO bindings (citizen, person, relation, state, scopes, who, what, key)
           SELECT {he}, {hers}, 'former', 'active', ARRAY['book'], 'x', 'bound', 'x' WHERE $1 > 0""",
        """INSERT INTO bindings (citizen, person, relation, state, scopes, proof, proven_by, who, what, key)
           SELECT {he}, {hers}, 'self', 'active', ARRAY['book'], 'counter', 'x', 'x', 'bound', 'x'
           WHERE $1 > 0""",
        """INSERT INTO bindings (citizen, person, relation, state, scopes, proof, proven_by, who, what, key)
           SELECT {he}, {hers}, 'spouse', 'active', ARRAY['book'], 'counter', 'x', 'x', 'approved', 'x'
           WHERE $1 > 0""",
        # an identity for whom he holds unproven
        """UPDATE persons SET identity = repeat('x', 16)::bytea, name = repeat('x', 40)::bytea,
                  id_number = repeat('x', 40)::bytea
           WHERE id = (SELECT person FROM bindings WHERE citizen = {he} AND state = 'active') AND $1 > 0""",
        """UPDATE persons SET identity = repeat('x', 16)::bytea WHERE id = {hers} AND $1 > 0""",
        """UPDATE persons SET identity = NULL WHERE id = {hers} AND $1 > 0""",
    ],
)
async def test_no_statement_without_a_proof_makes_one(kin: Kin, wrong: str) -> None:
    he, she, asked = await asked_by(kin)
    hers = "(SELECT person FROM bindings WHERE citizen = '{she}' AND state = 'active')"
    hers = hers.replace("{she}", she.citizen)
    statement = wrong.replace("{he}", f"'{he.citizen}'").replace("{hers}", hers)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await kin.db.execute(statement, int(asked))
    assert await kin.titles(he) == ["本人"]


async def test_control_the_same_statement_with_a_proof_makes_one(kin: Kin) -> None:
    """What the statements above lack is the proof, and nothing else."""
    he, she, asked = await asked_by(kin)
    person = await kin.citizens.self_person(she.citizen)
    await kin.db.execute(
        """
        UPDATE bindings SET state = 'active', what = 'approved', person = $2, proof = 'person',
                            proven_by = $3, sealed = NULL, target = NULL WHERE id = $1
        """,
        int(asked),
        person,
        she.citizen,
    )
    assert await kin.titles(he) == ["本人", "老伴"]
