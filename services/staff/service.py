"""Staff: who may come into the console, and what was done there."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from core.clock import Clock
from core.seal import Seal
from core.stores.database import Database, Transaction
from services.staff import store
from services.staff.errors import (
    NoSuchStaff,
    OldPasswordWrong,
    PasswordSame,
    StaffLocked,
    StaffLoginRefused,
    StaffNameTaken,
)
from services.staff.model import (
    IDLE,
    LASTS,
    LOCKED_FOR,
    MOST_PER_ADDRESS,
    MOST_PER_NAME,
    Deed,
    Member,
    Session,
    folded,
    name_of,
    password_of,
    roles_of,
    scopes_of,
    typed_password,
)
from services.staff.passwords import Passwords

TERMINAL = "terminal"  # who acts at the command line
_SEEN_EVERY = timedelta(minutes=1)
Change = Callable[[Transaction], Awaitable[object]]
Keys = tuple[str, str]  # what tries are counted under: a name, an address


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A member who has just logged in, and the token their browser is to keep."""

    member: Member
    token: str


class Staff:
    """Members, their logins, and the audit."""

    def __init__(self, db: Database, seal: Seal, clock: Clock, passwords: Passwords | None = None) -> None:
        self._db = db
        self._seal = seal
        self._clock = clock
        self._passwords = passwords or Passwords()

    async def add(
        self, name: str, password: str, roles: Iterable[str], scopes: Iterable[str] = (), by: str = TERMINAL
    ) -> Member:
        """Take somebody on; raises what is wrong with name, password, roles or scopes."""
        known_as = name_of(name)
        member = Member(
            id="s_" + secrets.token_urlsafe(12),
            name=known_as,
            roles=roles_of(roles),
            scopes=scopes_of(scopes),
            since=self._clock.now(),
        )
        kept = await self._passwords.hash(password_of(password, known_as))
        async with self._db.transaction() as tx:
            if not await store.add(tx, member, kept):
                raise StaffNameTaken(name=known_as)
            await store.note(tx, self._deed(by, "staff_add", member.id, "done"))
        return member

    async def member(self, name: str) -> Member:
        """Return who has this name; `NoSuchStaff`."""
        return (await self._named(name)).member

    async def page(self, after: str, limit: int) -> list[Member]:
        """Members in the order of their names, those who were shut out among them."""
        return await store.page(self._db, folded(after), limit)

    async def set_password(self, name: str, password: str, by: str = TERMINAL) -> Member:
        """Give a member another password; whoever is logged in under their name is out at once."""
        member = (await self._named(name)).member
        kept = await self._passwords.hash(password_of(password, member.name))

        async def change(tx: Transaction) -> None:
            await store.set_password(tx, member.id, kept, self._clock.now())
            await store.close_all(tx, member.id)

        return await self._changed(member, by, "staff_password", change)

    async def has_password(self, name: str, password: str) -> bool:
        """Tell whether this is a member's password; not for doors, which `login` guards."""
        return await self._passwords.is_right((await self._named(name)).password, password)

    async def disable(self, name: str, by: str = TERMINAL) -> Member:
        """Shut a member out, at once."""
        member = (await self._named(name)).member

        async def change(tx: Transaction) -> None:
            await store.set_disabled(tx, member.id, self._clock.now())
            await store.close_all(tx, member.id)

        return await self._changed(member, by, "staff_disable", change)

    async def enable(self, name: str, by: str = TERMINAL) -> Member:
        """Let a member in again, with the password they had."""
        member = (await self._named(name)).member
        return await self._changed(
            member, by, "staff_enable", lambda tx: store.set_disabled(tx, member.id, None)
        )

    async def set_work(
        self, name: str, roles: Iterable[str], scopes: Iterable[str], by: str = TERMINAL
    ) -> Member:
        """Give a member other roles and scopes; both hold with their next click."""
        member = (await self._named(name)).member
        new_roles, new_scopes = roles_of(roles), scopes_of(scopes)
        return await self._changed(
            member, by, "staff_work", lambda tx: store.set_work(tx, member.id, new_roles, new_scopes)
        )

    async def login(self, name: str, password: str, address: str) -> LoggedIn:
        """Let a member in; `StaffLoginRefused`, `StaffLocked`, `StaffBusy`.

        Every refusal is the same whether there is somebody of this name or not: one comparison, one count,
        the same words. `address` is where the browser is.
        """
        self._passwords.require_room()
        keys = self._keys(name, address)
        kept, right = await self._tried(name, password, keys)
        if kept is None or not right:
            await self._note(kept.member.id if kept else "", "refused")
            raise StaffLoginRefused
        return await self._let_in(kept, keys, typed_password(password))

    async def change_password(self, member: Member, old: str, new: str, address: str) -> LoggedIn:
        """A member gives themselves another password; every other login under their name ends at once.

        The old one is counted as at a login. `OldPasswordWrong`, `PasswordWeak`, `PasswordSame`,
        `StaffLocked`, `StaffBusy`.
        """
        self._passwords.require_room()
        typed, keys = password_of(new, member.name), self._keys(member.name, address)
        kept, right = await self._tried(member.name, old, keys)
        if kept is None or not right:
            await store.note(self._db, self._deed(member.id, "own_password", "", "refused"))
            raise OldPasswordWrong
        if typed == typed_password(old):
            raise PasswordSame
        return await self._renewed(kept, keys, await self._passwords.hash(typed))

    async def of(self, token: str) -> Session | None:
        """Return the session of a token; None once it is idle, old, closed, or its member shut out."""
        if not token:
            return None
        now, hashed = self._clock.now(), _hashed(token)
        found = await store.session(self._db, hashed, now - IDLE, now - LASTS)
        if found is None:
            return None
        session, seen_at = found
        if now - seen_at >= _SEEN_EVERY:
            await store.seen(self._db, hashed, now)
        return session

    async def logout(self, token: str) -> None:
        """End a session."""
        async with self._db.transaction() as tx:
            member = await store.close(tx, _hashed(token))
            if member is not None:
                await store.note(tx, self._deed(member, "logout", "", "done"))

    async def note(self, deed: "Did", tx: Transaction | None = None) -> None:
        """Write a line of the audit, in the transaction of what was done if there is one."""
        await store.note(tx or self._db, self._deed(deed.who, deed.what, deed.object, deed.outcome))

    async def trail(self, who: str = "", before: int | None = None, limit: int = 20) -> list[Deed]:
        """The audit, the latest first; of one member by their id."""
        return await store.trail(self._db, who, before, limit)

    async def _named(self, name: str) -> store.Kept:
        kept = await store.named(self._db, folded(name))
        if kept is None:
            raise NoSuchStaff(name=folded(name))
        return kept

    async def _changed(self, member: Member, by: str, what: str, change: Change) -> Member:
        async with self._db.transaction() as tx:
            await change(tx)
            await store.note(tx, self._deed(by, what, member.id, "done"))
        return await self.member(member.name)

    async def _count(self, key: str, most: int) -> None:
        """Count a try before it is made, so that many at once are counted, too."""
        now = self._clock.now()
        tried = await store.count_try(self._db, key, most, now, now - LOCKED_FOR)
        if tried.tries <= most:
            return
        if tried.tries == most + 1:
            await self._note("", "locked")
        left = tried.since + LOCKED_FOR - now
        raise StaffLocked(minutes=max(1, -(-int(left.total_seconds()) // 60)))

    async def _tried(self, name: str, password: str, keys: Keys) -> tuple[store.Kept | None, bool]:
        """Count a password, then compare it; who has the name, and whether it is theirs."""
        await self._count(keys[1], MOST_PER_ADDRESS)
        await self._count(keys[0], MOST_PER_NAME)
        kept = await store.named(self._db, folded(name))
        shut_out = kept is None or kept.member.disabled_at is not None
        compared = None if kept is None or shut_out else kept.password
        return kept, await self._passwords.is_right(compared, typed_password(password))

    async def _renewed(self, kept: store.Kept, keys: Keys, password: str) -> LoggedIn:
        token, now = secrets.token_urlsafe(32), self._clock.now()
        async with self._db.transaction() as tx:
            if not await store.replace_password(tx, kept, password, now):
                raise OldPasswordWrong  # changed or shut out while it was looked at
            await store.close_all(tx, kept.member.id)
            await store.open_session(tx, _hashed(token), store.Kept(kept.member, password), now)
            await store.forget_tries(tx, *keys)
            await store.note(tx, self._deed(kept.member.id, "own_password", "", "done"))
        return LoggedIn(kept.member, token)

    async def _let_in(self, kept: store.Kept, keys: Keys, password: str) -> LoggedIn:
        token = secrets.token_urlsafe(32)
        better = None
        if self._passwords.is_outdated(kept.password):
            better = await self._passwords.hash(password)
        async with self._db.transaction() as tx:
            if not await store.open_session(tx, _hashed(token), kept, self._clock.now()):
                raise StaffLoginRefused  # changed or shut out while the password was looked at
            if better is not None:
                await store.rehash(tx, kept.member.id, kept.password, better)
            await store.forget_tries(tx, *keys)
            await store.note(tx, self._deed(kept.member.id, "login", "", "done"))
        return LoggedIn(kept.member, token)

    async def _note(self, who: str, outcome: str) -> None:
        await store.note(self._db, self._deed(who, "login", "", outcome))

    def _deed(self, who: str, what: str, about: str, outcome: str) -> Deed:
        return Deed(0, self._clock.now(), who, what, about, outcome)

    def _keys(self, name: str, address: str) -> Keys:
        return self._key("name", folded(name)), self._key("address", address)

    def _key(self, kind: str, typed: str) -> str:
        return f"{kind}:{self._seal.capability(f'staff-{kind}', typed)}"


@dataclass(frozen=True, slots=True)
class Did:
    """What a member did: `what` and `outcome` are words of code, `object` an id; nothing personal."""

    who: str
    what: str
    object: str = ""
    outcome: str = "done"


def _hashed(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
