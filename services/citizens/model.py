"""What the city knows of those who write to it, in shapes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from core.errors import DomainError

SELF, FORMER = "self", "former"
SCOPES = ("book", "pay", "queue", "report", "record", "glucose", "school")
FIRST_SCOPES = SCOPES[:3]  # domain-rules B4a, B7


@dataclass(frozen=True, slots=True)
class Account:
    """One WeChat account of a citizen, as it stands in the database; `behind`: they wrote elsewhere later."""

    citizen: str
    following: bool
    behind: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a message to a conversation goes. The openid is open here: use it, never store or log it."""

    account: str
    openid: str
    following: bool


@dataclass(frozen=True, slots=True)
class Relative:
    """Somebody a citizen may act for: themselves, or who agreed.

    `id` is the person, `title` what they are to the citizen (本人, 妈妈), `name` masked, "" while it is not
    known, `aliases` what the citizen may call them, their name among it: seal what keeps it.
    """

    id: str
    binding: str
    relation: str
    title: str
    name: str
    aliases: tuple[str, ...]
    scopes: tuple[str, ...]

    @property
    def is_self(self) -> bool:
        """Tell whether it is the citizen."""
        return self.relation in (SELF, FORMER)

    @property
    def called(self) -> str:
        """妈妈王*英."""
        return self.title + self.name


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the citizen's own that nobody has decided; `name` is masked, `kept` titles a dialogue."""

    binding: str
    relation: str
    title: str
    name: str
    scopes: tuple[str, ...]
    expires_at: datetime
    kept: str = ""


@dataclass(frozen=True, slots=True)
class AtCounter:
    """A request as a counter sees it: whose papers to ask for, the name masked."""

    binding: str
    title: str
    name: str
    asker: str
    is_self: bool
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that waits for the citizen's own yes: `asker` is what its asker calls themselves.

    `relation` and `title` are what the citizen is to the asker: who is asked as 妈妈 is asked by a child.
    """

    binding: str
    asker: str
    relation: str
    title: str
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody else's account that may act for the citizen; words as in `Asked`."""

    binding: str
    asker: str
    relation: str
    title: str
    scopes: tuple[str, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Way:
    """One way to prove a request: `kind` person, code, roster or counter; code and roster name whose."""

    kind: str
    institution: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is allowed (domain-rules 0.1; what has no number there is ours).

    Those of a day count the last 24 hours, for a citizen (`of_citizen`), for the ID number that was entered
    (`to_target`), and for the two together (`of_pair`): they say nothing of whether anybody has it. Those of
    a number bind neither who has proven to have it nor who holds them, nor a counter: no stranger locks
    somebody's own way by using them up. `checks` and `sends` are those of one request.
    """

    persons: int = 5  # B1
    accounts: int = 4  # B2
    lasts: timedelta = timedelta(hours=24)
    kept_on: timedelta = timedelta(hours=24)  # a dialogue, after the yes
    requests_of_citizen: int = 10
    requests_of_pair: int = 6
    asks_to_target: int = 6  # how often somebody is asked in their own chat; they can answer unasked, too
    sends: int = 3
    sends_of_citizen: int = 6
    sends_of_pair: int = 4
    sends_to_target: int = 12
    checks: int = 5
    checks_of_citizen: int = 15
    checks_of_pair: int = 10
    checks_to_target: int = 30
    adult: int = 14  # B9: from this age on a person agrees for themselves


class UnknownCitizen(DomainError):  # noqa: N818 - a refusal is named by what is the case, like its siblings
    """Nobody of that name has ever arrived."""

    code = "unknown_citizen"
    stranger = True
