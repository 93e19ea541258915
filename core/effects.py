"""What makes a repeated run harmless: one row per effect, written in the transaction of the change."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from inspect import isfunction
from typing import Any

import msgspec

from core.errors import DomainError
from core.stores.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Effect:
    """Names one change of one dialogue run.

    `run` is the opening message's event id + "/" + the dialogue's name, `key` the name given to `ask.once`,
    `digest` the SHA-256 of the arguments that were bound to it (design 3, "Effects").
    """

    run: str
    key: str
    digest: bytes

    @property
    def name(self) -> str:
        """What it is called in the event rows it leaves, and by who waits for it."""
        return f"{self.run}#{self.key}"


class AlreadyDone(DomainError):  # noqa: N818 - a refusal is named by what is the case, like its siblings
    """The run did this already, with other arguments; `result` is what was done then."""

    code = "already_done"

    def __init__(self, *, result: str) -> None:
        super().__init__(result=result)
        self.result = result


async def perform(db: Database, effect: Effect, change: Callable[[Transaction], Awaitable[str]]) -> str:
    """Run `change` once for this effect, ever, and return its result (an id).

    The same arguments again return the stored result; other arguments raise `AlreadyDone`. A refusal inside
    `change` rolls everything back and leaves no row. Concurrent callers of one effect wait for each other.
    """
    async with db.transaction() as tx:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", effect.name)
        row = await tx.fetchrow(
            "SELECT digest, result FROM effects WHERE run = $1 AND key = $2", effect.run, effect.key
        )
        if row is not None:
            if row["digest"] != effect.digest:
                raise AlreadyDone(result=row["result"])
            return str(row["result"])
        result = await change(tx)
        await tx.execute(
            "INSERT INTO effects (run, key, digest, result) VALUES ($1, $2, $3, $4)",
            effect.run,
            effect.key,
            effect.digest,
            result,
        )
        return result


async def result_of(db: Database, effect: Effect) -> str | None:
    """What this effect did, for whoever asks somebody outside before the change; None if nothing yet.

    `AlreadyDone` where it was done with other arguments.
    """
    row = await db.fetchrow(
        "SELECT digest, result FROM effects WHERE run = $1 AND key = $2", effect.run, effect.key
    )
    if row is None:
        return None
    if row["digest"] != effect.digest:
        raise AlreadyDone(result=row["result"])
    return str(row["result"])


def digest_of(effect: Callable[[Effect], Awaitable[str]]) -> bytes:
    """SHA-256 of the arguments bound to an effect: what tells a repetition from another wish.

    A closure hides its arguments, so it is refused: bind them with `functools.partial`. An argument that has
    a `fingerprint` (bytes under a key) counts by that: from a plain hash an ID number could be guessed.
    """
    bound: list[Any] = []
    while isinstance(effect, partial):
        bound = [list(effect.args), sorted(effect.keywords.items()), bound]
        effect = effect.func
    if isfunction(effect) and effect.__closure__ and "<locals>" in effect.__qualname__:
        raise TypeError(f"{effect!r} hides its arguments; bind them with functools.partial")
    return hashlib.sha256(msgspec.json.encode(bound, enc_hook=_fingerprint)).digest()


def _fingerprint(argument: object) -> bytes:
    fingerprint = getattr(argument, "fingerprint", None)
    if not isinstance(fingerprint, bytes):
        raise NotImplementedError(f"{type(argument).__name__} has no fingerprint, and is no data")
    return fingerprint
