"""What the city holds of citizens: every table belongs to one part, or says nothing of anybody."""

from collections.abc import Sequence

from core.chat.holding import DeskMessages, Talks
from core.delivery.holding import Messages
from core.privacy.holdings import Holding
from core.seal import Seal
from core.stores.redis import Redis
from services.citizens.consents import Consents
from services.citizens.holding import Agreements, Looks, Register, Requests
from services.citizens.telling import Messenger
from services.hospital.holding import Bookings
from services.payments.holding import Debts
from services.transit.holding import Rides

# Tables that say nothing of any citizen, and why each of them does not.
IMPERSONAL = {
    "schema_migrations": "which steps of the schema are applied",
    "leases": "which process does which recurring job",
    "purge_reports": "how many rows of which table went when",
    "binding_transitions": "the steps a binding may take",
    "payment_transitions": "the steps of contracts, debts, tries and refunds",
    "consent_transitions": "the steps a consent may take",
    "unit_transitions": "the steps a number may take",
    "catalogues": "which data files are loaded",
    "hospitals": "what hospitals publish of themselves",
    "specialties": "what can be treated, and what people call it",
    "departments": "which hospital has what",
    "doctors": "what hospitals publish of their doctors",
    "timetables": "when which doctor is there",
    "sessions": "half-days of doctors",
    "session_events": "what staff did to half-days",
    "periods": "times of half-days",
    "staff_members": "who may come into the console: members of staff",
    "staff_sessions": "logins of members of staff",
    "staff_tries": "how often a password was tried, by keyed hash",
    "staff_audit": "what members of staff did, by ids that say nothing",
    "transit_transitions": "the steps an account may take",
    "transit_devices": "which gate stands where, with which key",
    "jobs": "notices to many, and which member of staff had them sent",
    "job_events": "what staff did to notices to many",
}


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
        Looks(seal),
        Agreements(consents),
        Requests(seal),
        Register(seal, messenger),
    )
