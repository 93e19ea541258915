"""Two citizens who turn out to be one human: WeChat gives both their accounts one unionid."""

import structlog

from core.seal import Seal
from core.stores.database import Transaction
from services.citizens import bindings_store as store
from services.citizens import consents_store as consents
from services.citizens.bindings_store import Row, Step
from services.citizens.consents_store import Matter, Turn
from services.citizens.model import FORMER, SELF

_log = structlog.get_logger("citizens")


def hashed(seal: Seal, unionid: str) -> bytes:
    """What of a unionid is kept: it is found again, and leads to nobody."""
    return seal.fingerprint(unionid, "unionid")


async def unite(tx: Transaction, conversation: str, unionid: bytes) -> str | None:
    """Note a unionid (its keyed hash); the citizen behind the conversation then. None for who never arrived.

    Who had it first keeps their name, and gets the accounts, the bindings and all that refers to the other.
    """
    await store.lock_unionid(tx, unionid)
    here: str | None = await tx.fetchval("SELECT citizen FROM accounts WHERE conversation = $1", conversation)
    if here is None:
        return None
    first: str | None = await tx.fetchval("SELECT id FROM citizens WHERE unionid = $1", unionid)
    if first == here:
        return here
    step = Step(here, await tx.fetchval("SELECT now()"), f"unionid:{conversation}")
    if first is None:
        await tx.execute("UPDATE citizens SET unionid = $2 WHERE id = $1", here, unionid)
        return here
    await store.lock(tx, here, first)
    if not await _may_be_one(tx, here, first):
        _log.error("not_united", citizen=here, other=first)
        return here
    await _hand_over_all(tx, here, first, step)
    await _hand_over_consents(tx, here, first, step)
    await store.event(tx, "united", here, None, first, step)
    await tx.execute("SELECT refer_to_citizen($1, $2)", here, first)
    return first


async def _may_be_one(tx: Transaction, here: str, first: str) -> bool:
    """Tell whether they have not proven to be two."""
    proven = [
        each["identity"] for each in (await store.oneself(tx, here), await store.oneself(tx, first)) if each
    ]
    return None in proven or len(set(proven)) < 2  # noqa: PLR2004 - two


async def _hand_over_all(tx: Transaction, here: str, first: str, step: Step) -> None:
    theirs = await store.of_citizen(tx, first)
    for row in await store.of_citizen(tx, here):
        same = [each for each in theirs if _is_same(row, each)]
        if row["relation"] == SELF and row["state"] == "active" and not same:
            await _hand_over_self(tx, row, theirs, first, step)
        elif same and row["state"] == "active":
            if not set(row["scopes"]) <= set(same[0]["scopes"]):  # else what is on its way stays theirs
                await store.bump(tx, row["id"])
            await store.end(tx, row["id"], "replaced", "expired", step)
        elif same:
            await store.bump(tx, row["id"])
            await store.end(tx, row["id"], "withdrawn", "withdrawn", step)
        else:
            await store.hand_over(tx, row["id"], first, row["relation"], step)


def _is_same(row: Row, other: Row) -> bool:
    if row["state"] != other["state"]:
        return False
    return bool(row["person"] == other["person"] and row["target"] == other["target"])


async def _hand_over_self(tx: Transaction, row: Row, theirs: list[Row], first: str, step: Step) -> None:
    """One of two selves stays it: the proven one, else the first one's."""
    if row["proof"] is None:
        await store.hand_over(tx, row["id"], first, FORMER, step)
        return
    for each in theirs:
        if each["relation"] == SELF and each["state"] == "active":
            await store.set_aside(tx, each["id"], step)
    await store.hand_over(tx, row["id"], first, SELF, step)


async def _hand_over_consents(tx: Transaction, here: str, first: str, step: Step) -> None:
    """What one human agreed to in any account they agreed to, unless they said something else since."""
    for row in await consents.of_citizen(tx, here):
        if row["state"] != "granted":
            continue
        matter = Matter(first, row["purpose"], row["person"], row["scopes"])
        await consents.lock(tx, matter)
        other = await consents.one(tx, first, row["purpose"], row["person"])
        if other is None or _said_before(other, row):
            await consents.repeat(tx, row, matter, step.key)
        await consents.decide(tx, row["id"], Turn("superseded", "superseded", step.at, step.key))


def _said_before(other: Row, row: Row) -> bool:
    """Tell whether something else than a yes was said, and before this was agreed to; or nothing yet."""
    return bool(
        other["decided_at"] is None
        or (other["state"] != "granted" and other["decided_at"] < row["decided_at"])
    )
