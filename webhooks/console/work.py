"""What a member of staff finds on the first page: what there is to do, and how much of it waits."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.staff.model import Member, Role


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work; `count` tells how much of it waits for a member, where it waits in a list."""

    title: str
    hint: str
    link: str
    roles: Sequence[Role]
    count: Callable[[Member], Awaitable[int]] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that a member may do; `count` is None where nothing waits in a list."""

    work: Work
    count: int | None


async def waiting(works: Sequence[Work], member: Member) -> list[Waiting]:
    """The work of a member, what waits first."""
    found = [
        Waiting(each, await each.count(member) if each.count else None)
        for each in works
        if member.may(each.roles)
    ]
    return sorted(found, key=lambda each: not each.count)
