"""Who writes to us: accounts, their self persons, and the way back to an openid."""

import secrets
from collections.abc import Sequence

import structlog

from core.seal import Seal, SealBrokenError
from core.stores.database import Database, Transaction
from services.citizens import store, uniting
from services.citizens.errors import NotBound
from services.citizens.families import Families
from services.citizens.model import Recipient, Relative, UnknownCitizen

__all__ = ["Citizens", "Families", "NotBound", "Relative"]

FOLLOWERS = "followers"

_log = structlog.get_logger("citizens")


class Citizens:
    """Accounts (conversation ↔ sealed openid) and their self persons (domain-rules B4a)."""

    def __init__(self, db: Database, seal: Seal) -> None:
        self._db = db
        self._seal = seal

    async def arrive(self, conversation: str, account: str, openid: str, *, following: bool = True) -> str:
        """Return the citizen behind a conversation; at first contact make account, self person and binding.

        Once, however many calls come together. A known citizen costs one statement; one who had left is back,
        and one who wrote elsewhere last is reached here from now on. Who comes to a page and not to the chat
        is not `following` for that, nor do they cease to.
        """
        known = await store.account_of(self._db, conversation)
        if known is None:
            return await self._welcome(conversation, account, openid, following=following)
        if following and not known.following:
            await store.follow(self._db, conversation, following=True)
        if following and known.behind:
            await store.heard(self._db, conversation)
        return known.citizen

    async def unite(self, conversation: str, unionid: str) -> str:
        """Note the unionid WeChat gives for an account; the citizen behind it then.

        One human has one: accounts that share it are one citizen's from then on, with the bindings and
        bookings of both. `UnknownCitizen` for who never arrived.
        """
        if not unionid:
            raise ValueError("an account without a unionid stands for itself")
        async with self._db.transaction() as tx:
            citizen = await uniting.unite(tx, conversation, uniting.hashed(self._seal, unionid))
        if citizen is None:
            raise UnknownCitizen(citizen="")
        return citizen

    async def leave(self, conversation: str) -> None:
        """Note that a citizen unfollowed: what is on its way to them is not sent any more.

        What WeChat told of them goes at once, where they follow none of our accounts any more.

        A reminder of what still stands comes when it is time, should they be back by then (ADR 0015).
        """
        await store.follow(self._db, conversation, following=False)
        await store.drop_profile(self._db, conversation)

    async def self_person(self, citizen: str) -> str:
        """Return the person a citizen is now: it changes once they have proven to be a registered one."""
        person = await store.self_person(self._db, citizen)
        if person is None:
            raise UnknownCitizen(citizen=citizen)
        return person

    async def conversation(self, tx: Transaction, citizen: str) -> str | None:
        """Return the conversation a citizen is reached in, of several the one they wrote to last.

        None for who follows no account of ours now.
        """
        return await store.conversation(tx, citizen)

    async def resolve_all(self, conversations: Sequence[str]) -> dict[str, Recipient]:
        """Open the ways back to conversations; only a sender needs them.

        Who never arrived is left out, and who cannot be found any more: the others get theirs (M9).
        """
        found = {}
        for row in await store.addresses(self._db, conversations):
            conversation = row["conversation"]
            try:
                openid = self._seal.open(row["openid"], _place(conversation)).decode()
            except SealBrokenError as broken:
                _log.error("openid_unreadable", conversation=conversation, why=str(broken))
            else:
                found[conversation] = Recipient(row["account"], openid, row["following"])
        return found

    async def lost(self, conversation: str) -> None:
        """Note that the platform does not know somebody as a follower any more."""
        await self.leave(conversation)

    async def page(self, account: str, audience: str, after: str, limit: int) -> list[str]:
        """The conversations of an audience, page by page: `followers` are all there is so far."""
        _require(audience)
        return await store.followers(self._db, account, after, limit)

    async def count(self, account: str, audience: str) -> int:
        """How many an audience has."""
        _require(audience)
        return await store.count_followers(self._db, account)

    async def _welcome(self, conversation: str, account: str, openid: str, *, following: bool) -> str:
        newcomer = store.Newcomer(
            citizen="c_" + secrets.token_urlsafe(12),
            person="p_" + secrets.token_urlsafe(12),
            conversation=conversation,
            account=account,
            sealed_openid=self._seal.seal(openid.encode(), _place(conversation)),
            following=following,
        )
        citizen = await store.add(self._db, newcomer)
        if citizen is not None:
            return citizen
        return await self.arrive(conversation, account, openid, following=following)


def _place(conversation: str) -> str:
    """Name the only place where a sealed openid opens."""
    return f"openid:{conversation}"


def _require(audience: str) -> None:
    if audience != FOLLOWERS:
        raise ValueError(f"there is no audience {audience!r}; {FOLLOWERS} is one")
