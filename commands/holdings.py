"""What the city holds: every table has a purpose and a period, and belongs to one part or is of nobody."""

from collections.abc import Sequence
from datetime import timedelta

from core.chat.holding import DeskMessages, Talks
from core.delivery.holding import Messages
from core.privacy.holdings import End, Holding, Kept
from core.seal import Seal
from core.stores.redis import Redis
from services.citizens.consents import Consents
from services.citizens.holding import Agreements, Looks, Register, Requests
from services.citizens.telling import Messenger
from services.community.holding import Dwellings
from services.hospital.holding import Bookings
from services.payments.holding import Debts
from services.transit.holding import Rides

_DAY, _YEAR = timedelta(days=1), timedelta(days=366)
_PROGRAM = "as long as this version of the program"
_CATALOGUE = "until what is published changes"
_PAST = "for ever: what was booked hangs on it, and it tells of nobody"


def _impersonal(table: str, purpose: str, until: str) -> Kept:
    return Kept(table, purpose, End.NOBODYS, until=until)


def _timed(table: str, purpose: str, period: timedelta, since: str, until: str, unless: str = "") -> Kept:
    return Kept(table, purpose, End.NOBODYS, period, since, unless, until)


# Tables that say nothing of any citizen, and how long each of them keeps what it is for.
IMPERSONAL = (
    _impersonal("schema_migrations", "which steps of the schema are applied", "as long as the database"),
    _timed("leases", "which process does which recurring job", _DAY, "until", "it lapsed"),
    _timed("purge_reports", "how many rows of which table went when", 3 * _YEAR, "at", "the purge"),
    _impersonal("binding_transitions", "the steps a binding may take", _PROGRAM),
    _impersonal("payment_transitions", "the steps of contracts, debts, tries and refunds", _PROGRAM),
    _impersonal("transit_transitions", "the steps an account may take", _PROGRAM),
    _impersonal(
        "transit_devices", "which gate stands where, with which key", "as long as its taps are told of"
    ),
    _impersonal("community_places", "where people live, down to the unit of a building", _CATALOGUE),
    _impersonal(
        "community_doors",
        "which doors a community's own list of residents names: rooms sealed, names as keyed hashes",
        "until the community loads its next list",
    ),
    _impersonal("community_home_steps", "the steps a home may take", _PROGRAM),
    _impersonal("consent_transitions", "the steps a consent may take", _PROGRAM),
    _impersonal("unit_transitions", "the steps a number may take", _PROGRAM),
    _impersonal("catalogues", "which data files are loaded", _CATALOGUE),
    _impersonal("hospitals", "what hospitals publish of themselves", _CATALOGUE),
    _impersonal("specialties", "what can be treated, and what people call it", _CATALOGUE),
    _impersonal("departments", "which hospital has what", _CATALOGUE),
    _impersonal("doctors", "what hospitals publish of their doctors", _CATALOGUE),
    _impersonal("timetables", "when which doctor is there", _CATALOGUE),
    _impersonal("sessions", "half-days of doctors", _PAST),
    _impersonal("session_events", "what staff did to half-days", _PAST),
    _impersonal("periods", "times of half-days", _PAST),
    _impersonal(
        "staff_members",
        "who may come into the console: members of staff, and the hash of their passwords",
        "as long as the audit tells of what they did; who is shut out stays as one who was",
    ),
    _timed("staff_sessions", "logins of members of staff", _DAY, "opened_at", "the login"),
    _timed(
        "staff_tries", "how often a password was tried, by keyed hash", _DAY, "since", "the last that counts"
    ),
    _timed("staff_audit", "what members of staff did, by ids that say nothing", 3 * _YEAR, "at", "the deed"),
    _timed("job_events", "what staff did to notices to many", _YEAR, "at", "the deed"),
    _timed(
        "jobs",
        "notices to many, and which member of staff had them sent",
        _YEAR,
        "ended_at",
        "the last was sent",
        unless="EXISTS (SELECT FROM job_events e WHERE e.job = t.id)"
        " OR EXISTS (SELECT FROM outbox o WHERE o.job = t.id)",
    ),
)


def holdings_of(
    seal: Seal, consents: Consents, messenger: Messenger, redis: Redis | None
) -> Sequence[Holding]:
    """Every part, in the order in which they let go of a citizen: the register, the way to them, last."""
    talks = [Talks(redis)] if redis is not None else []
    return (
        Messages(),
        DeskMessages(seal),
        *talks,
        Bookings(),
        Rides(),
        Debts(),
        Dwellings(seal),
        Looks(seal),
        Agreements(consents),
        Requests(seal),
        Register(seal, messenger),
    )
