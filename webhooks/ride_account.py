"""乘车码: opening and closing it, the rides, and what is still to be paid for."""

from functools import partial

from aiohttp import web

from core.effects import Effect, digest_of
from core.errors import DomainError
from services.citizens.consent_texts import TRANSIT
from services.citizens.consents import ASKED, Consent, ConsentOver
from services.payments.errors import AlreadyPaid, AlreadySigned, PaymentAsked
from services.transit.accounts import State
from services.transit.listing import PAGE
from services.transit.pages import CLOSE, CODE, OPEN, PAY, TRIPS
from webhooks.forms import Form
from webhooks.login.guard import LoggedIn
from webhooks.login.sessions import H5Session
from webhooks.rides import RideView, Riding
from webhooks.routes import Request, Route

_MOST_DIGITS = 18
_LOOKS = 12  # a page that waits for WeChat Pay looks so often by itself
_SOON_S, _LATER_S, _SOON_LOOKS = 3, 10, 5
_UNSIGNED = (State.NONE, State.CONSENT)
_TO_SIGN = (*_UNSIGNED, State.ARREARS)  # who is behind may have no contract any more, and needs one to pay


class RideAccount:
    """The account's pages. All can be read, and used, without scripts."""

    def __init__(self, logged_in: LoggedIn, riding: Riding, base_url: str) -> None:
        self._logged_in = logged_in
        self._riding = riding
        self._transit = riding.transit
        self._back = f"{base_url}{OPEN}"
        self._view = RideView(logged_in, riding.words)

    def routes(self) -> list[Route]:
        """Who is logged in may call them; others are led to the login."""
        page, form = self._logged_in.page, self._logged_in.form
        return [
            Route("GET", OPEN, page(self._open), "citizen"),
            Route("POST", OPEN, form(self._sign), "citizen"),
            Route("GET", TRIPS, page(self._trips), "citizen"),
            Route("GET", PAY, page(self._owed), "citizen"),
            Route("POST", PAY, form(self._pay), "citizen"),
            Route("GET", CLOSE, page(self._before_close), "citizen"),
            Route("POST", CLOSE, form(self._close), "citizen"),
        ]

    async def _open(self, request: Request, session: H5Session) -> web.Response:
        """What is asked; and, to who comes back from WeChat Pay, what has become of it."""
        account = await self._transit.account(session.citizen)
        state = account.state
        asked = await self._asked(session.citizen)
        if state is State.ARREARS and "from_wxpay" in request.query:
            return self._view.pages.led(PAY)
        if state not in _TO_SIGN and asked.is_granted:
            return self._view.shown(request, session, "ride_signed", state=state.value, again="", after=0)
        if state is State.CONSENT and asked.is_granted and "from_wxpay" in request.query:
            again, after = _looking(request, f"{OPEN}?from_wxpay=1")
            return self._view.shown(
                request, session, "ride_signed", state=state.value, again=again, after=after
            )
        signed = await self._transit.is_signed(session.citizen)
        owed = 0 if signed else account.behind_fen
        return self._view.shown(
            request, session, "ride_open", it=asked, signed=state not in _TO_SIGN, owed=owed
        )

    async def _sign(self, request: Request, session: H5Session, form: Form) -> web.Response:
        """She agrees, or not; then to WeChat Pay, by a link: it goes back to the page it is on."""
        citizen = session.citizen
        try:
            answered = await self._answered(citizen, form)
        except ConsentOver:
            answered = False
        if not answered:
            return self._view.pages.led(OPEN)
        if form.get("do") == "refuse":
            return self._view.pages.led(f"{CODE}?did=refuse")
        if (await self._transit.account(citizen)).state not in _TO_SIGN:
            return self._view.pages.led(CODE)
        try:
            to = await self._transit.open(citizen, self._back)
        except AlreadySigned:
            return self._view.pages.led(CODE)
        except DomainError as refusal:
            return self._view.refused(request, session, refusal, OPEN)
        return self._view.of_kind("leading", request, session, "ride_sign", to=to)

    async def _asked(self, citizen: str) -> Consent:
        """Where the consent stands; the text of today is asked about from now on unless it is agreed to."""
        consents = self._riding.consents
        it = await consents.state(citizen, TRANSIT)
        if it.is_granted or (it.state == ASKED and it.version == it.text.version):
            return it
        ask = partial(consents.ask, citizen, TRANSIT, "", ())
        await ask(_once(citizen, it, "ask", digest_of(ask)))
        return await consents.state(citizen, TRANSIT)

    async def _answered(self, citizen: str, form: Form) -> bool:
        """Whether the answer is one to the text of today; `ConsentOver`."""
        consents = self._riding.consents
        it = await consents.state(citizen, TRANSIT)
        refuses = form.get("do") == "refuse"
        if it.is_granted and not refuses:
            return True
        if form.get("version") != str(it.text.version):
            return False
        decide = consents.refuse if refuses else consents.grant
        answer = partial(decide, citizen, TRANSIT, "", f"page:{OPEN}")
        await answer(_once(citizen, it, form.get("do", ""), digest_of(answer)))
        return True

    async def _trips(self, request: Request, session: H5Session) -> web.Response:
        before = request.query.get("before", "")
        known = before.isdecimal() and before.isascii() and len(before) <= _MOST_DIGITS
        rides = await self._transit.rides(session.citizen, int(before) if known else None)
        earlier = rides[-1].id if len(rides) == PAGE else 0
        return self._view.shown(request, session, "ride_trips", rides=rides, earlier=earlier, first=not known)

    async def _owed(self, request: Request, session: H5Session) -> web.Response:
        """What is behind; after a try, what has become of it, as far as it is known."""
        # In this order: what is paid between the two is behind no more, and nobody reads that it failed.
        asked = await self._transit.is_asked(session.citizen)
        behind = await self._transit.behind(session.citizen)
        again, after = _looking(request, f"{PAY}?did=pay") if asked else ("", 0)
        did = request.query.get("did", "")
        return self._view.shown(
            request, session, "ride_pay", behind=behind, asked=asked, did=did, again=again, after=after
        )

    async def _pay(self, request: Request, session: H5Session, _form: Form) -> web.Response:
        try:
            await self._transit.pay(session.citizen)
        except (PaymentAsked, AlreadyPaid):
            pass  # the page says so
        except DomainError as refusal:
            return self._view.refused(request, session, refusal, PAY)
        return self._view.pages.led(f"{PAY}?did=pay")

    async def _before_close(self, request: Request, session: H5Session) -> web.Response:
        account = await self._transit.account(session.citizen)
        if account.state is State.NONE:
            return self._view.pages.led(CODE)
        return self._view.shown(request, session, "ride_close", account=account)

    async def _close(self, request: Request, session: H5Session, _form: Form) -> web.Response:
        try:
            await self._transit.close(session.citizen)
        except DomainError as refusal:
            return self._view.refused(request, session, refusal)
        return self._view.pages.led(f"{CODE}?did=close")


def _once(citizen: str, it: Consent, step: str, digest: bytes) -> Effect:
    """A step on from where the consent stands: pressed twice it is one."""
    since = it.at.isoformat() if it.at else ""
    return Effect(f"{OPEN}/{citizen}/{it.state}/{since}", step, digest)


def _looking(request: Request, way: str) -> tuple[str, int]:
    """Where a page that waits looks again, and after how many seconds; "" once it has looked enough."""
    given = request.query.get("n", "0")
    looked = int(given) if given.isdecimal() and given.isascii() and len(given) < len("100") else _LOOKS
    again = f"{way}&n={looked + 1}" if looked < _LOOKS else ""
    return again, _SOON_S if looked < _SOON_LOOKS else _LATER_S
