"""Homes that wait: staff of a place look at each, and say whether somebody lives there."""

from functools import partial

from aiohttp import web

from core.effects import Effect, digest_of
from core.errors import DomainError
from services.community.errors import NoSuchHome
from services.community.model import Home, is_place
from services.community.service import Doors, Homes
from services.staff.model import Member, Role
from services.staff.service import Did, Staff
from webhooks.console.guard import Guard
from webhooks.console.pages import HOME, ConsolePages, Inside, number_of
from webhooks.console.work import Work
from webhooks.forms import Form
from webhooks.routes import Request, Route

HOMES = f"{HOME}/homes"
_PAGE = 20


class HomeDesk:
    """The list of a member's own communities; every decision is in the audit, with ids only."""

    def __init__(self, homes: Homes, doors: Doors, staff: Staff, guard: Guard, pages: ConsolePages) -> None:
        self._homes = homes
        self._doors = doors
        self._staff = staff
        self._guard = guard
        self._pages = pages

    def routes(self) -> list[Route]:
        """For clerks."""
        clerk = Role.CLERK
        return [
            Route("GET", HOMES, self._guard.require(clerk)(self._list), "staff"),
            Route("POST", HOMES, self._guard.require_form(clerk)(self._decide), "staff"),
        ]

    def work(self) -> Work:
        """What stands on the first page."""
        return Work("核对住址", "居民登记了住址，请看是不是住在那里。", HOMES, [Role.CLERK], self._count)

    async def _count(self, member: Member) -> int | None:
        for_places = any(is_place(each) for each in member.scopes)
        return await self._homes.count_waiting(member.scopes) if for_places else None

    async def _list(self, request: Request, inside: Inside) -> web.Response:
        after = number_of(request.query.get("after", ""))
        return await self._shown(inside, after, did=request.query.get("did", ""))

    async def _decide(self, _request: Request, inside: Inside, form: Form) -> web.Response:
        member, home, after = inside.member, number_of(form.get("no", "")), number_of(form.get("after", ""))
        reason = form.get("reason", "")
        what, decide = "home_refused", partial(self._homes.refuse, home, reason, member.id)
        if form.get("what") == "approve":
            what, decide = "home_approved", partial(self._homes.approve, home, member.id)
        effect = Effect(f"console/{member.id}/home/{home}", "decide", digest_of(decide))
        try:
            await decide(effect, scopes=member.scopes)
        except DomainError as refusal:
            about = "" if isinstance(refusal, NoSuchHome) else f"home:{home}"  # what was typed may be a phone
            await self._staff.note(Did(member.id, what, about, "refused"))
            return await self._shown(inside, after, 409, words=self._pages.words(refusal), wrong=home)
        await self._staff.note(Did(member.id, what, f"home:{home}"))
        return self._pages.led(f"{HOMES}?did={what}&after={after}")

    async def _shown(self, inside: Inside, after: str, status: int = 200, **said: str) -> web.Response:
        scopes = inside.member.scopes
        await self._staff.note(Did(inside.member.id, "homes_shown"))
        found: list[Home] = await self._homes.waiting(scopes, after, _PAGE + 1)
        facts = {"words": "", "wrong": "", "did": "", **said}
        if facts["wrong"] not in {each.id for each in found[:_PAGE]}:
            facts["wrong"] = ""  # it is not in the list any more: the reason stands above
        return self._pages.shown(
            "homes",
            inside,
            status,
            homes=found[:_PAGE],
            listed=await self._doors.listed(found[:_PAGE]),
            more=len(found) > _PAGE,
            total=await self._homes.count_waiting(scopes),
            after=after,
            **facts,
        )
