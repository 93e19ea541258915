"""Who signs ride codes for the city: asked, never imitated; the key is in another process."""
# ruff: noqa: N818 - a refusal is named by what is the case

from collections.abc import Mapping
from typing import Protocol

from core.errors import DomainError
from gate.code import Grant, ServerCode


class IssuerGone(DomainError):
    """The issuer cannot be reached now. `why` is for the operator and holds nothing personal."""

    code = "issuer_gone"

    def __init__(self, *, why: str = "") -> None:
        super().__init__()
        self.why = why


class Issuer(Protocol):
    """The process that holds the issuer keys. It sets the `kid`, whatever is in what it is asked to sign.

    `ValueError` where it would not sign: a life, a time or an amount beyond its own limits.
    """

    async def grant(self, content: Grant) -> bytes:
        """The signed grant; `IssuerGone` if nobody answers."""
        ...

    async def code(self, content: ServerCode) -> bytes:
        """The whole code of kind S; `IssuerGone` if nobody answers."""
        ...

    async def public_keys(self) -> Mapping[int, bytes]:
        """Every key a gate should know, also one that signs only later: `kid` → 32 bytes."""
        ...

    async def revoked_keys(self) -> Mapping[int, bytes]:
        """Keys that nobody is to trust any more."""
        ...
