"""A street of neighbours who ask, agree, book, take back, leave and go, while messages are on their way."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from core.chat.durations import Durations
from core.chat.inbox import Inbox, Run, Who, Window
from core.chat.replies import Said
from core.delivery.kept import Kept
from core.delivery.outgoing import Office, Outgoing
from core.delivery.sender import Choices, Notice, Outcome, Sent
from core.errors import DomainError
from core.schedule.reminders import Reminders
from services.citizens.model import FIRST_SCOPES, Recipient
from services.citizens.service import Citizens
from tests.core.delivery.town import message
from tests.services.citizens.kin import Kin, Person, once
from tests.services.citizens.listening import Listener
from tests.services.ward import MONDAY, Ward, at
from tests.support.city_hospital import hospital_of, notices_of
from tests.support.rights import data_rights_of
from tests.support.talk import Ground, words_of
from tests.support.wording import kinds_in

Step = tuple[str, int, int]
NEIGHBOURS, PERIODS, DIFFERENT = 4, 6, 42
SCOPES = (FIRST_SCOPES, ("queue",), ("book", "report"))
_NAMES = ("赵琬", "钱琰", "孙珞", "李珺")
_RELATIONS = ("mother", "father", "spouse", "other")
_VISITS = MONDAY + timedelta(days=6)
_DAYS = 4  # that may pass before
_ENDED, _SOON = timedelta(seconds=1), timedelta(hours=1)
_NOTHING_YET = "TRUNCATE citizens, accounts, persons, bookings, sessions, outbox, reminders, versions CASCADE"


class Register(Citizens):
    """The register; what may happen while a worker has messages in hand happens when it asks for the ways."""

    meanwhile: Callable[[], Awaitable[None]] | None = None

    async def resolve_all(self, conversations: Sequence[str]) -> dict[str, Recipient]:
        found = await super().resolve_all(conversations)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None and found:
            await meanwhile()
        return found


@dataclass
class Phones:
    """WeChat, as whoever sends sees it; somebody listens at each phone."""

    listener: Listener
    places: dict[str, str] = field(default_factory=dict)  # openid → conversation

    async def ready(self, _account: str) -> Outcome | None:
        return None

    async def send(self, _account: str, openid: str, said: Said | Choices) -> Outcome:
        words = said.text if isinstance(said, Said) else said.head
        await self.listener.hears(self.places[openid], words)
        return Sent()

    async def send_template(self, _account: str, _openid: str, notice: Notice) -> Outcome:
        raise AssertionError(f"no kind has a template here: {notice}")

    send_subscription = send_template


class Street:
    """One history: its neighbours, and every step they may take. What is refused to them is part of it."""

    def __init__(self, ground: Ground, ward: Ward) -> None:
        self.ground, self.ward = ground, ward
        db, seal, clock = ground.db, ground.seal, ground.clock
        self.kin = Kin(db, seal, clock)
        self.hospital = hospital_of(db, seal, clock)
        self.data = data_rights_of(ground)
        self.reminders = Reminders(db, notices_of(seal, clock), clock)
        self.kept = Kept(db, seal, words_of(), clock)
        self.inbox = Inbox(ground.redis, Durations(flood=0))
        self.register = Register(db, seal)
        self.listener = Listener(db, seal)
        self.phones = Phones(self.listener)
        office = Office(
            db=db,
            redis=ground.redis,
            seal=seal,
            clock=clock,
            kinds=kinds_in(),
            words=words_of(),
            inbox=self.inbox,
            city=self.register,
            sender=self.phones,
        )
        self.outgoing = Outgoing(office)
        self._numbers = itertools.count()

    async def begin(self) -> None:
        """Four neighbours whom the hospital knows, its sessions of next Sunday, and nothing else."""
        self.ground.clock.set(at("09:00"))
        await self.ground.db.execute(_NOTHING_YET)
        await self.listener.begin()
        self.people = [await self.kin.person(name) for name in _NAMES]
        self.phones.places = {_openid(each): each.conversation for each in self.people}
        self.requests: list[tuple[str, Person, Person]] = []  # request, who asked, for whom
        self.bookings: list[tuple[str, Person]] = []
        self.days = 0
        self.periods = [
            period
            for doctor in ("heart-1", "lungs-1", "bones-1")
            for period in await self.ward.session(doctor, at("10:00", _VISITS), units=(4, 4))
        ]

    async def take(self, what: str, one: int, two: int) -> None:
        """One step."""
        step: Callable[[int, int], Awaitable[None]] = getattr(self, what)
        with suppress(DomainError):
            await step(one, two)

    async def prove(self, one: int, two: int) -> None:
        """Somebody proves who they are: by a code, or at the counter."""
        who = self._who(one)
        request = await self._asks(who, who, "self", FIRST_SCOPES)
        if two % 2:
            await self.kin.by_code(who, request)
        else:
            await self.kin.proving.approve_at_counter(request, "li", once())

    async def ask(self, one: int, two: int) -> None:
        """Somebody wants to act for somebody else, who is asked; a dialogue may wait for the answer."""
        who, whom = self._who(one), self._who(one + 1 + two % (NEIGHBOURS - 1))
        scopes = SCOPES[two // 12 % len(SCOPES)]
        request = await self._asks(who, whom, _RELATIONS[two % len(_RELATIONS)], scopes)
        if two % 5 == 1:
            await self.kin.proving.keep(request, who.citizen, b"answers", "挂号")
        await self.kin.proving.ask_person(request, who.citizen, once())

    async def decide(self, one: int, two: int) -> None:
        """A request is agreed to, refused, taken back, or approved at the counter."""
        request, who, whom = self._request(one)
        proving = self.kin.proving
        match two % 5:
            case 0 | 1:
                await proving.approve(request, whom.citizen, once())
            case 2:
                await proving.approve_at_counter(request, "li", once())
            case 3:
                await proving.refuse(request, whom.citizen, once())
            case _:
                await proving.withdraw(request, who.citizen, once())

    async def unbind(self, one: int, two: int) -> None:
        """One of the two takes a binding back."""
        request, *both = self._request(one)
        await self.kin.families.revoke(request, both[two % 2].citizen, once())

    async def day(self, _one: int, _two: int) -> None:
        """A day goes by, and requests with it."""
        if self.days < _DAYS:
            self.days += 1
            self.ground.clock.move(timedelta(days=1))
            await self.kin.proving.expire()

    async def go(self, one: int, _two: int) -> None:
        """Somebody unfollows."""
        await self.register.leave(self._who(one).conversation)

    async def come(self, one: int, _two: int) -> None:
        """Somebody follows again; who was erased is somebody new."""
        who = self._who(one)
        who.citizen = await self.register.arrive(who.conversation, "city", _openid(who))

    async def unite(self, one: int, _two: int) -> None:
        """WeChat tells of an account whose it is: every other one is one human, unless proven to be two."""
        await self.register.unite(self._who(one).conversation, f"union-{one % 2}")
        for each in self.people:
            each.citizen = await self.ground.db.fetchval(
                "SELECT citizen FROM accounts WHERE conversation = $1", each.conversation
            )

    async def erase(self, one: int, _two: int) -> None:
        """Somebody wants to be forgotten: at once, or when nothing is promised to them any more."""
        await self.data.erasing.ask(self._who(one).citizen, once())

    async def book(self, one: int, two: int) -> None:
        """Somebody books for somebody they may act for."""
        who = self._who(one)
        people = await self.kin.families.people(who.citizen, former=True)
        whom, period = people[two % len(people)], self.periods[two % PERIODS]
        self.bookings.append((await self.hospital.hold(period, who.citizen, once(), whom.id), who))

    async def give_back(self, one: int, two: int) -> None:
        """A booking is cancelled, or moved."""
        booking, who = self.bookings[one % len(self.bookings)]
        if two % 2:
            await self.hospital.cancel(booking, who.citizen, once())
        else:
            await self.hospital.move(booking, self.periods[two % PERIODS], who.citizen, once())

    async def look(self, one: int, two: int) -> None:
        """Somebody reads a report of somebody's, who is told each time."""
        who = self._who(one)
        people = await self.kin.families.people(who.citizen, "report")
        if people:
            whom = people[two % len(people)]
            async with self.ground.db.transaction() as tx:
                await self.data.accesses.note(tx, who.citizen, whom.id, "report", "h")
            await self.data.accesses.tell()

    async def fire(self, _one: int, two: int) -> None:
        """The time of some reminders comes; the database goes by its own."""
        await self.ground.db.execute(
            """
            UPDATE reminders SET due_at = now() - $1::interval, valid_until = now() + $2
            WHERE state = 'due' AND key LIKE $3
            """,
            _ENDED,
            _SOON,
            ("%", "%:eve", "%:soon")[two % 3],
        )
        await self.reminders.fire()

    async def send(self, one: int, two: int) -> None:
        """All that is due is sent; while it is in a worker's hands, something else happens."""
        await self._now()
        if one % 4:
            for each in self.people:
                await self._writes(each)
        change = (None, self.unbind, self.go, self.erase, self.give_back, self.prove, self.decide)[two % 7]

        async def meanwhile() -> None:
            if change is not None:
                with suppress(DomainError):
                    await change(one, two // 7)

        self.register.meanwhile = meanwhile
        await self.outgoing.send_due()

    async def unread(self, one: int, _two: int) -> None:
        """Somebody reads what was kept for them."""
        who = self._who(one)
        shown = await self.kept.show(who.conversation, f"{who.conversation}:unread:{next(self._numbers)}")
        if shown is not None:
            await self.listener.hears(who.conversation, shown.letter.text)

    async def _asks(self, who: Person, whom: Person, relation: str, scopes: Sequence[str]) -> str:
        request = await self.kin.asks(who, whom, relation, *scopes, calls=who.name)
        self.listener.asked_for[request] = whom.number
        self.requests.append((request, who, whom))
        return request

    async def _now(self) -> None:
        """Let what is on its way be due, and not be over; the database goes by its own time."""
        await self.ground.db.execute(
            """
            UPDATE outbox SET not_before = now() - $1::interval, valid_until = now() + $2
            WHERE state IN ('queued', 'held')
            """,
            _ENDED,
            _SOON,
        )

    async def _writes(self, who: Person) -> None:
        run = await self.inbox.enter(message(who.conversation), Who.NEW, Window.MESSAGE)
        assert isinstance(run, Run)
        await self.inbox.commit(run, b"session", b"reply")

    def _who(self, number: int) -> Person:
        return self.people[number % NEIGHBOURS]

    def _request(self, number: int) -> tuple[str, Person, Person]:
        return self.requests[number % len(self.requests)]


def _openid(who: Person) -> str:
    return f"o-{who.conversation[-8:]}"
