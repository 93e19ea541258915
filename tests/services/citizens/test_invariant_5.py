"""Invariant 5: no message about a person reaches an account unless a binding with the scope allows it then.

Neighbours ask to act for one another, agree, book, take back, leave and are erased in any order, while the
real worker sends. What they may hear is told from the event rows, never from the guards that it looks at.
"""

from collections.abc import Awaitable, Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from core.clock import ManualClock
from core.seal import Seal
from core.stores.database import Database
from core.stores.redis import Redis
from tests.services.citizens.street import DIFFERENT, NEIGHBOURS, Step, Street
from tests.services.ward import Ward
from tests.support.talk import Ground

PATIENT = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a history that failed is short enough as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
OFTEN = ("ask", "decide", "unbind", "book", "fire", "send", "send")
SOMETIMES = ("prove", "day", "go", "come", "unite", "erase", "give_back", "look", "unread")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(OFTEN + SOMETIMES), st.integers(0, NEIGHBOURS - 1), st.integers(0, DIFFERENT - 1)
    ),
    min_size=3,
    max_size=16,
)
DAUGHTER, MOTHER = 0, 1
REQUEST, DAUGHTERS_SELF = 1, 2  # of the requests below
FAMILY: list[Step] = [
    ("prove", MOTHER, 0),
    ("ask", DAUGHTER, 24),  # to act for her mother, and to read her reports
    ("send", 1, 0),
    ("decide", REQUEST, 0),
    ("prove", DAUGHTER, 0),
    ("send", 1, 0),
]
FOR_HER_MOTHER: Step = ("book", DAUGHTER, 1)
WITH_TWO_SELVES: Step = ("book", DAUGHTER, 2)  # for her mother, who stands behind whom she was before
FOR_HERSELF: Step = ("book", DAUGHTER, 0)
ONE_HUMAN: list[Step] = [("unite", DAUGHTER + 2, 0), ("unite", DAUGHTER, 0)]  # the daughter has two phones
FIRE, SEND = ("fire", 0, 0), ("send", 1, 0)
HEAR: list[Step] = [FIRE, SEND, ("unread", DAUGHTER, 0), ("unread", MOTHER, 0), SEND]
# What is booked, and who takes which binding back: before it is sent, or while a worker has it in hand.
TAKEN_BACK: dict[str, list[Step]] = {
    "by the mother": [FOR_HER_MOTHER, FIRE, ("unbind", REQUEST, 1), SEND],
    "by the daughter": [FOR_HER_MOTHER, FIRE, ("unbind", REQUEST, 0), SEND],
    "by the mother, in hand": [FOR_HER_MOTHER, FIRE, ("send", REQUEST, 8)],
    "by the daughter, in hand": [FOR_HER_MOTHER, FIRE, ("send", REQUEST, 1)],
    "her own": [FOR_HERSELF, FIRE, ("unbind", DAUGHTERS_SELF, 0), SEND],
    "by the mother of two accounts": [FOR_HER_MOTHER, FIRE, *ONE_HUMAN, ("unbind", REQUEST, 1), SEND],
    "by the mother of two accounts before": [*ONE_HUMAN, WITH_TWO_SELVES, FIRE, ("unbind", REQUEST, 1), SEND],
    "her own, in hand": [FOR_HERSELF, FIRE, ("send", DAUGHTERS_SELF, 1)],
}
_UNGUARDED = """
CREATE FUNCTION unguarded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.guard_keys := '{free}';
    NEW.guard_ns := '{0}';
    RETURN NEW;
END $$
"""
Takes = Callable[[Database, pytest.MonkeyPatch], Awaitable[None]]


async def nobody_counts(_db: Database, patched: pytest.MonkeyPatch) -> None:
    """What is taken back leaves no trace in the versions."""

    async def forgets(*_args: object) -> None:
        pass

    patched.setattr("services.citizens.bindings_store.bump", forgets)


async def nothing_is_guarded(db: Database, _patched: pytest.MonkeyPatch) -> None:
    """Rows hang on nothing that anybody counts."""
    await db.execute(_UNGUARDED)
    for table in ("outbox", "reminders"):
        await db.execute(
            f"CREATE TRIGGER unguarded BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION unguarded()"
        )


async def nothing_hangs_on_it(_db: Database, patched: pytest.MonkeyPatch) -> None:
    """Reminders hang on their booking alone."""
    patched.setattr("services.hospital.ladder._bindings", lambda _booking: ())


@pytest.fixture
def street(redis: Redis, db: Database, seal: Seal, clock: ManualClock, ward: Ward) -> Street:
    return Street(Ground(redis, db, seal, clock), ward)


async def lives(street: Street, *steps: Step) -> dict[str, int]:
    """A history from its beginning; how many messages of each kind arrived."""
    await street.begin()
    for step in steps:
        await street.take(*step)
    return street.listener.heard


@PATIENT
@given(steps=STEPS)
async def test_nobody_hears_of_somebody_they_may_not_act_for(street: Street, steps: list[Step]) -> None:
    await lives(street, *FAMILY, FOR_HER_MOTHER, *steps, *HEAR)


async def test_who_may_act_for_somebody_hears_of_them(street: Street) -> None:
    """Or the histories above would say nothing."""
    heard = await lives(street, *FAMILY, FOR_HER_MOTHER, *HEAR)
    assert heard["booking_reminder"] == 2
    assert heard["binding_consent"] == 1
    assert heard["binding_done"] == 3
    heard = await lives(
        street, ("prove", MOTHER, 0), ("ask", DAUGHTER, 36), ("decide", 1, 0), SEND, ("unread", DAUGHTER, 0)
    )
    assert heard["binding_approved"] == 1, "what waited for the yes goes on"
    heard = await lives(street, *FAMILY, ("look", DAUGHTER, 0), SEND)
    assert heard["access_digest"] == 1
    heard = await lives(street, *FAMILY, *ONE_HUMAN, WITH_TWO_SELVES, *HEAR)
    assert heard["booking_reminder"] == 2, "who has two accounts is reminded at one of them"
    heard = await lives(street, ("book", DAUGHTER, 0), ("prove", DAUGHTER, 0), SEND, *HEAR)
    assert heard["booking_reminder"] == 2, "who proves who they are is reminded as before"


@pytest.mark.parametrize("steps", TAKEN_BACK.values(), ids=TAKEN_BACK)
async def test_what_is_taken_back_is_not_heard_of(street: Street, steps: list[Step]) -> None:
    """Who was not the patient any more got reminders of their visits: they hung on the booking alone."""
    heard = await lives(street, *FAMILY, *steps, *HEAR)
    assert "booking_reminder" not in heard


@pytest.mark.parametrize(
    ("away", "history"),
    [
        (nobody_counts, "by the mother, in hand"),
        (nobody_counts, "by the daughter"),
        (nobody_counts, "her own, in hand"),
        (nothing_is_guarded, "by the mother, in hand"),
        (nothing_hangs_on_it, "her own"),
    ],
)
async def test_control_without_the_guard_it_is_heard_and_noticed(
    street: Street, monkeypatch: pytest.MonkeyPatch, away: Takes, history: str
) -> None:
    await away(street.ground.db, monkeypatch)
    with pytest.raises(AssertionError, match="invariant 5: booking_reminder"):
        await lives(street, *FAMILY, *TAKEN_BACK[history], *HEAR)


async def test_who_is_not_herself_any_more_is_not_asked_in_her_own_name(street: Street) -> None:
    """A request for her hung on itself alone: it was shown to an account that had given her up."""
    heard = await lives(street, ("prove", MOTHER, 0), ("ask", DAUGHTER, 24), ("unbind", 0, 0), SEND, *HEAR)
    assert "binding_consent" not in heard
    heard = await lives(street, *FAMILY, ("unbind", REQUEST, 0), ("unbind", 0, 0), SEND, *HEAR)
    assert "binding_revoked" not in heard
