"""What a member of staff finds on the first page: what there is to do, and how much of it waits."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.staff.model import Member, Role


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of work; `count` tells how much of it waits for a member, where it waits in a list.

    None: it is none of theirs, for they work for no place of it.
    """

    title: str
    hint: str
    link: str
    roles: Sequence[Role]
    count: Callable[[Member], Awaitable[int | None]] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work that a member may do; `count` is None where nothing waits in a list."""

    work: Work
    count: int | None


async def waiting(works: Sequence[Work], member: Member) -> list[Waiting]:
    """The work of a member, what waits first."""
    found = []
    for each in works:
        if not member.may(each.roles):
            continue
        count = await each.count(member) if each.count else None
        if count is not None or each.count is None:
            found.append(Waiting(each, count))
    return sorted(found, key=lambda each: not each.count)
