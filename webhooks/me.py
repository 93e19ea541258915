"""我的: whom a citizen may act for and who for them, what they agreed to, who looked, and the ways out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from core.chat.words import Words
from core.effects import Effect, digest_of
from core.errors import DomainError
from services.citizens.accesses import Accesses
from services.citizens.consents import Consent, Consents
from services.citizens.families import Families
from services.citizens.model import Asked, Holder, Relative
from services.citizens.model import Request as Requested
from services.citizens.proving import Proving
from services.citizens.withdrawing import Withdrawing
from webhooks.forms import Form
from webhooks.login.guard import LoggedIn
from webhooks.login.sessions import H5Session
from webhooks.login.ways import HOME
from webhooks.routes import Request, Route

_BINDING, _CONSENT, _LOOKS = f"{HOME}/binding", f"{HOME}/consent", f"{HOME}/looks"
_MOST_DIGITS = 18
Change = Callable[[Effect], Awaitable[str]]
One = Relative | Holder | Asked | Requested


@dataclass(frozen=True, slots=True)
class Own:
    """What the page shows."""

    families: Families
    proving: Proving
    consents: Consents
    withdrawing: Withdrawing
    accesses: Accesses
    words: Words
    rides: str = ""  # the page of ride codes, where any line runs


class Me:
    """A citizen's own pages. Whatever is changed there is asked once more on a page of its own."""

    def __init__(self, logged_in: LoggedIn, own: Own) -> None:
        self._logged_in = logged_in
        self._own = own

    def routes(self) -> list[Route]:
        """Who is logged in may call them; others are led to the login."""
        page, form = self._logged_in.page, self._logged_in.form
        return [
            Route("GET", HOME, page(self._page), "citizen"),
            Route("GET", _LOOKS, page(self._looks), "citizen"),
            Route("GET", _BINDING, page(self._binding), "citizen"),
            Route("POST", _BINDING, form(self._change_binding), "citizen"),
            Route("GET", _CONSENT, page(self._consent), "citizen"),
            Route("POST", _CONSENT, form(self._withdraw), "citizen"),
        ]

    async def _page(self, request: Request, session: H5Session) -> web.Response:
        citizen, own = session.citizen, self._own
        people = await own.families.people(citizen)
        return self._shown(
            request,
            session,
            "me",
            oneself=people[0],
            people=[each for each in people if not each.is_self],
            asked=await own.families.asked_of(citizen),
            requests=await own.families.open_requests(citizen),
            holders=await own.families.holders(citizen),
            consents=await own.consents.granted(citizen),
            looks=(await own.accesses.of(citizen)).lines,
            did=request.query.get("did", ""),
            rides=own.rides,
        )

    async def _looks(self, request: Request, session: H5Session) -> web.Response:
        before = request.query.get("before", "")
        known = before.isdecimal() and len(before) <= _MOST_DIGITS
        looks = await self._own.accesses.of(session.citizen, int(before) if known else None)
        return self._shown(request, session, "me_looks", looks=looks, path=_LOOKS)

    async def _binding(self, request: Request, session: H5Session) -> web.Response:
        kind, it = await self._found(session.citizen, request.query.get("b", ""))
        if it is None:
            return self._gone(request, session)
        return self._shown(request, session, "me_binding", kind=kind, it=it)

    async def _change_binding(self, request: Request, session: H5Session, form: Form) -> web.Response:
        binding, what = form.get("b", ""), form.get("do", "")
        change = self._change(what, binding, session.citizen)
        kind, _ = await self._found(session.citizen, binding)
        if change is None or what not in _ALLOWED.get(kind, ()):
            return self._gone(request, session)
        effect = Effect(f"me/{session.citizen}/{binding}", what, digest_of(change))
        return await self._done(request, session, partial(change, effect), what)

    async def _consent(self, request: Request, session: H5Session) -> web.Response:
        it = await self._granted(session.citizen, request.query)
        if it is None:
            return self._gone(request, session)
        return self._shown(request, session, "me_consent", it=it)

    async def _withdraw(self, request: Request, session: H5Session, form: Form) -> web.Response:
        it = await self._granted(session.citizen, form)
        if it is None:
            return self._gone(request, session)
        change = partial(self._own.withdrawing.withdraw, session.citizen, it.purpose, it.person)
        at = it.at.isoformat() if it.at else ""
        effect = Effect(f"me/{session.citizen}/{it.purpose}/{it.person}/{at}", "withdraw", digest_of(change))
        return await self._done(request, session, partial(change, effect), "withdraw")

    async def _found(self, citizen: str, binding: str) -> tuple[str, One | None]:
        """What a binding is to this citizen; nothing of anybody else's."""
        families = self._own.families
        people = [each for each in await families.people(citizen) if not each.is_self]
        every: Mapping[str, list[Any]] = {
            "person": people,
            "holder": await families.holders(citizen),
            "asked": await families.asked_of(citizen),
            "request": await families.open_requests(citizen),
        }
        found = ((kind, each) for kind, some in every.items() for each in some if each.binding == binding)
        return next(found, ("", None))

    def _change(self, what: str, binding: str, citizen: str) -> Change | None:
        families, proving = self._own.families, self._own.proving
        known: dict[str, Callable[[str, str, Effect], Awaitable[str]]] = {
            "revoke": families.revoke,
            "agree": proving.approve,
            "refuse": proving.refuse,
            "withdraw": proving.withdraw,
        }
        return partial(known[what], binding, citizen) if what in known else None

    async def _granted(self, citizen: str, given: Mapping[str, str]) -> Consent | None:
        wanted = given.get("purpose", ""), given.get("person", "")
        every = await self._own.consents.granted(citizen)
        return next((each for each in every if (each.purpose, each.person) == wanted), None)

    async def _done(
        self, request: Request, session: H5Session, change: Callable[[], Awaitable[str]], what: str
    ) -> web.Response:
        try:
            await change()
        except DomainError as refusal:
            words = self._own.words.refusal(refusal)
            return self._shown(request, session, "me_refused", 409, words=words)
        return self._logged_in.pages.led(f"{HOME}?did={what}")

    def _gone(self, request: Request, session: H5Session) -> web.Response:
        return self._shown(request, session, "me_gone", 404)

    def _shown(
        self, request: Request, session: H5Session, page: str, status: int = 200, **facts: object
    ) -> web.Response:
        csrf = self._logged_in.sessions.csrf(session)
        common = {"csrf": csrf, "home": HOME, "until": session.until, "since": session.opened_at}
        return self._logged_in.pages.shown(request, page, status, **common, **facts)


_ALLOWED = {
    "person": ("revoke",),
    "holder": ("revoke",),
    "asked": ("agree", "refuse"),
    "request": ("withdraw",),
}
