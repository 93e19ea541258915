"""A notice on its way into the outbox: its words found, everything in it checked, and sealed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from jinja2 import UndefinedError

from core.chat.cutting import MAX_TEXT_BYTES, clean
from core.chat.words import Words
from core.clock import Clock, city_day
from core.delivery import fields, guards, outbox, stops
from core.delivery.kinds import Kind, Kinds
from core.delivery.letters import Letter, letters
from core.delivery.outbox import Entry
from core.errors import DomainError
from core.seal import Seal
from core.stores.database import Transaction

_URL_BYTES = 1024
_LINK_BYTES = 64  # what a link adds to the words in the chat, beside its address


class NoticeRefused(DomainError):  # noqa: N818 - a refusal is named by what is the case, like its siblings
    """A notice WeChat would not take, or that could never be sent; `field` says where."""

    code = "notice_refused"

    def __init__(self, *, kind: str, field: str, why: str) -> None:
        super().__init__(kind=kind, field=field, why=why)
        self.field = field


@dataclass(frozen=True, slots=True)
class Notice:
    """Something we tell one citizen.

    `about` is the object it tells of, `guards` the keys it hangs on (the object's first), `step` tells
    several notices about one version of it apart. `facts` are those of the kind's template, link and fields.
    `picture` was uploaded before, and is shown in place of words while a send window is open.
    """

    kind: str
    about: str
    conversation: str
    facts: Mapping[str, object] = field(default_factory=dict)
    guards: tuple[str, ...] = ()
    step: str = ""
    not_before: datetime | None = None
    valid_until: datetime | None = None
    picture: str = ""

    @property
    def account(self) -> str:
        """The official account it goes through."""
        return self.conversation.split(":", 1)[0]


class Notices:
    """What the services hand their notices to."""

    def __init__(self, kinds: Kinds, words: Words, seal: Seal, clock: Clock, base_url: str) -> None:
        self.kinds = kinds
        self._words = words
        self._seal = seal
        self._clock = clock
        self._base_url = base_url.rstrip("/")

    async def queue(self, tx: Transaction, notice: Notice) -> bool:
        """Send a notice once the transaction commits; False if it is on its way already, or not wanted.

        `NoticeRefused` names the field that WeChat would not take, or that no time is left for it.
        """
        entry = await self.entry(tx, notice, notice.not_before or self._clock.now())
        if await stops.is_stopped(tx, notice.conversation, self.kinds[notice.kind].purpose):
            return False
        return await outbox.queue(tx, entry) is not None

    async def entry(self, tx: Transaction, notice: Notice, due: datetime) -> Entry:
        """The row of a notice that is due then; checked like one that is sent at once."""
        kind = self.kinds[notice.kind]
        valid_until = notice.valid_until or due + kind.valid_for
        not_before = kind.quiet.moved(due, valid_until)
        if not_before is None:
            late = "it would be held until it is too late" if due < valid_until else "its time is over"
            raise NoticeRefused(kind=kind.name, field="valid_until", why=late)
        held = await guards.current(tx, notice.guards)
        version = held[notice.guards[0]] if notice.guards else 0
        key = f"{kind.name}:{notice.about}:{version}:{notice.conversation}:{notice.step}"
        letter = self.letter(kind, notice, valid_until, not_before)
        return Entry(
            key=key,
            conversation=notice.conversation,
            sealed=letters.pack(letter, self._seal, key),
            kind=kind.name,
            lane=kind.lane,
            not_before=not_before,
            valid_until=valid_until,
            guards=held,
            repeatable=kind.repeatable,
            hold="quiet" if not_before > due else "",
            purpose=kind.purpose,
        )

    def letter(self, kind: Kind, notice: Notice, valid_until: datetime, at: datetime) -> Letter:
        """Say a notice as on the day it is sent, or raise `NoticeRefused`."""
        try:
            letter = self._said(kind, notice, valid_until, at)
        except (UndefinedError, AttributeError, TypeError) as wrong:  # a fact that lacks, or is no time
            raise NoticeRefused(kind=kind.name, field="facts", why=str(wrong)) from wrong
        for name, why in faults(letter, kind):
            raise NoticeRefused(kind=kind.name, field=name, why=why)
        return letter

    def _said(self, kind: Kind, notice: Notice, valid_until: datetime, at: datetime) -> Letter:
        facts = {**notice.facts, "valid_until": valid_until}
        words = self._words.on(city_day(at.timestamp()))
        return Letter(
            title=kind.subject(facts).strip(),
            text=words.render(kind.words, **facts),
            template=kind.templates.get(notice.account, ""),
            subscription=kind.subscriptions.get(notice.account, ""),
            fields=tuple((key, say(facts).strip()) for key, say in kind.fields.items()),
            url=self._address(kind, facts),
            options=tuple((key, say(facts).strip()) for key, say in kind.options.items()),
            about=notice.about,
            expires=int(valid_until.timestamp()) if kind.options else 0,
            picture=notice.picture,
        )

    def _address(self, kind: Kind, facts: Mapping[str, object]) -> str:
        if kind.link is None:
            return ""
        said = kind.link(facts).strip()
        return f"{self._base_url}{said}" if said.startswith("/") else said


def faults(letter: Letter, kind: Kind) -> list[tuple[str, str]]:
    """Everything in a letter that WeChat would refuse: where, and what it should have been."""
    found = []
    size = len(letter.text.encode()) + len(letter.url.encode()) + _LINK_BYTES
    if not letter.text or clean(letter.text) != letter.text or size > MAX_TEXT_BYTES:
        found.append(("words", f"1 to {MAX_TEXT_BYTES} bytes with its link, without control characters"))
    found += [
        (key, wanted)
        for key, value in letter.fields
        if (wanted := fields.fault(key, value, kind.values.get(key, ())))
    ]
    if letter.url and not _is_address(letter.url):
        found.append(("link", f"an http(s) address of at most {_URL_BYTES} bytes"))
    return found


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and len(url.encode()) <= _URL_BYTES
