"""The citizens with their phones: who follows, and what each phone shows."""

import hashlib
import itertools
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from simulator.accounts import Account
from simulator.clock import Clock, as_text
from simulator.content import Content
from simulator.credits import Grant
from simulator.refusals import RefusedError
from simulator.windows import Windows

RECEIVED = frozenset(
    {"reply", "custom", "notice", "template", "subscription"}
)  # the other kinds: "sent" (own bubbles), "line" (grey lines)


class Standing(StrEnum):
    """How a citizen stands to the account. A visitor has only looked at the phone page so far."""

    VISITOR = "visitor"
    STRANGER = "stranger"
    FOLLOWER = "follower"
    LEFT = "left"


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One thing on a phone's screen."""

    number: int
    at: float
    kind: str
    content: Content

    def as_json(self) -> dict[str, Any]:
        """Plain data; what follows `content` depends on the type."""
        fixed = {"id": str(self.number), "at": as_text(self.at), "kind": self.kind}
        return fixed | {"type": self.content.type, "content": self.content.words} | self.content.as_json()


class Phone(msgspec.Struct, eq=False):
    """A citizen of one account, and the chat on the phone in their hand."""

    account: str
    openid: str
    unionid: str = ""
    nickname: str = ""
    standing: Standing = Standing.STRANGER
    windows: Windows = msgspec.field(default_factory=Windows)
    entries: list[Entry] = msgspec.field(default_factory=list)
    grants: dict[str, Grant] = msgspec.field(default_factory=dict)
    delivery: str = ""  # why template messages and notifications do not arrive; "" where they do
    followed_at: float = 0.0
    number: str = ""  # the telephone number of the card in it; "" for none
    scene: str = ""  # of the QR code through which the citizen came

    @property
    def follows(self) -> bool:
        return self.standing is Standing.FOLLOWER

    def as_json(self) -> dict[str, Any]:
        plain = {
            "account": self.account,
            "openid": self.openid,
            "unionid": self.unionid or None,
            "nickname": self.nickname,
            "follows": self.follows,
        }
        return plain | {"delivery": self.delivery} if self.delivery else plain

    def after(self, number: int) -> Sequence[Entry]:
        """The entries younger than `number`, oldest first."""
        newer = itertools.takewhile(lambda entry: entry.number > number, reversed(self.entries))
        return list(newer)[::-1]

    def before(self, number: int, limit: int) -> Sequence[Entry]:
        """The last `limit` entries older than `number`, oldest first."""
        older = itertools.dropwhile(lambda entry: entry.number >= number, reversed(self.entries))
        return list(itertools.islice(older, limit))[::-1]


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much the simulator keeps in memory."""

    citizens: int = 200_000
    entries_per_phone: int = 1_000
    entries: int = 500_000
    numbers: int = 100_000  # message ids that scripts chose
    repeats: int = 500_000  # ids that bots gave their template messages
    receipts: int = 500_000  # waiting to be pushed
    codes: int = 100_000  # QR codes of an account; codes and tokens of the web login
    media_bytes: int = 64 * 2**20


class People:
    """Every citizen of every account; `changed` is told of each change to a phone."""

    def __init__(
        self, accounts: Iterable[Account], clock: Clock, changed: Callable[[Phone], None], bounds: Bounds
    ) -> None:
        self._tags = {account.key: _tag(account) for account in accounts}
        self._phones: dict[str, dict[str, Phone]] = {key: {} for key in self._tags}
        self._order: dict[str, list[Phone]] = {key: [] for key in self._tags}
        self._places: dict[Phone, int] = {}
        self._clock = clock
        self._changed = changed
        self.bounds = bounds
        # Counting from the clock, ids grow across restarts even when nothing was saved.
        self._numbers = itertools.count(int(clock().timestamp() * 1000))
        self._ages: deque[tuple[Phone, int]] = deque()

    def everyone(self) -> list[Phone]:
        return [phone for phones in self._order.values() for phone in phones]

    def find(self, account: str, openid: str) -> Phone | None:
        return self._phones[account].get(openid)

    def meet(self, account: str, openid: str | None, standing: Standing) -> Phone:
        """The citizen with this openid; whoever is new, or a mere visitor so far, gets `standing`."""
        phone = self._phones[account].get(openid) if openid else None
        if phone is None:
            phone = self.settle(Phone(account, openid or self._new_openid(account)))
            self._place(phone, standing)
        elif phone.standing is Standing.VISITOR:
            self.stand(phone, standing)
        return phone

    def settle(self, phone: Phone) -> Phone:
        """Take in a citizen who is new or comes back from the store."""
        if len(self._places) >= self.bounds.citizens:
            raise RefusedError(f"the simulator holds at most {self.bounds.citizens} citizens")
        place = len(self._order[phone.account])
        self._phones[phone.account][phone.openid] = phone
        self._order[phone.account].append(phone)
        self._places[phone] = place
        for entry in phone.entries:
            self._ages.append((phone, entry.number))
        self._changed(phone)
        return phone

    def page(self, account: str, after: str, limit: int) -> Sequence[Phone]:
        """Citizens in the order they came, from the one after the openid `after`."""
        order = self._order[account]
        if not after:
            return order[:limit]
        last = self.find(account, after)
        if last is None:
            raise RefusedError(
                f"after: {after!r} is no citizen of {account!r}; give the last openid of the page before"
            )
        start = self._places[last] + 1
        return order[start : start + limit]

    def stand(self, phone: Phone, standing: Standing) -> None:
        self._place(phone, standing)
        self._changed(phone)

    def describe(self, phone: Phone, unionid: str | None, nickname: str | None, delivery: str | None) -> None:
        phone.unionid = phone.unionid if unionid is None else unionid
        phone.nickname = phone.nickname if nickname is None else nickname
        if delivery is not None:
            phone.delivery = "" if delivery == "ok" else delivery
        self._changed(phone)

    def touch(self, phone: Phone) -> None:
        """Something about the citizen has changed that the phone does not show."""
        self._changed(phone)

    def record(self, phone: Phone, kind: str, content: Content) -> Entry:
        """Put something on the phone's screen; the oldest goes when there is too much."""
        entry = Entry(next(self._numbers), self._clock().timestamp(), kind, content)
        phone.entries.append(entry)
        if len(phone.entries) > self.bounds.entries_per_phone:
            del phone.entries[0]
        self._ages.append((phone, entry.number))
        if len(self._ages) > self.bounds.entries:
            self._forget_oldest()
        self._changed(phone)
        return entry

    def number_from(self, number: int) -> None:
        """Ids given out before a restart are never given out again."""
        self._numbers = itertools.count(max(number, next(self._numbers)))

    def _place(self, phone: Phone, standing: Standing) -> None:
        if standing is Standing.FOLLOWER and not phone.follows:
            phone.followed_at = self._clock().timestamp()
        phone.standing = standing

    def _forget_oldest(self) -> None:
        phone, number = self._ages.popleft()
        if phone.entries and phone.entries[0].number == number:
            del phone.entries[0]

    def _new_openid(self, account: str) -> str:
        return f"o{self._tags[account]}{secrets.token_urlsafe(24)[:22]}"


def _tag(account: Account) -> str:
    """The five characters all openids of an account share, as on the real platform."""
    return hashlib.sha256(account.appid.encode()).hexdigest()[:5]
