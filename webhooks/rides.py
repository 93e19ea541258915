"""乘车码: the page whose script makes codes, what it asks for, and the picture for who has no scripts."""

import base64
import binascii
from dataclasses import dataclass

from aiohttp import web

from core.chat.words import Words
from core.errors import DomainError
from services.citizens.consent_texts import TRANSIT
from services.citizens.consents import Consents
from services.transit.accounts import State
from services.transit.codes import MOST_PICTURES
from services.transit.issuer import IssuerGone
from services.transit.pages import CLOSE, CODE, GRANT, OPEN, PAY, PICTURE, TRIPS
from services.transit.service import Account, Granted, Transit
from webhooks.assets import Assets
from webhooks.forms import Form
from webhooks.login.guard import LoggedIn
from webhooks.login.pages import H5Pages
from webhooks.login.sessions import H5Session
from webhooks.login.ways import HOME
from webhooks.pages import Kind
from webhooks.qr import as_image
from webhooks.routes import Request, Route

_SCRIPT = "ride-page.js"
_KEY_BYTES = 33  # a compressed point of P-256
_WAYS = {"code": CODE, "open": OPEN, "close": CLOSE, "pay": PAY, "picture": PICTURE, "trips": TRIPS}


@dataclass(frozen=True, slots=True)
class Riding:
    """What all pages of rides are made of."""

    transit: Transit
    consents: Consents
    words: Words

    async def agreed(self, citizen: str) -> bool:
        """Whether a citizen agrees to the text of today."""
        return (await self.consents.state(citizen, TRANSIT)).is_granted


class RideView:
    """How a page of rides is answered: with the ways to all others, and a refusal in words."""

    def __init__(self, logged_in: LoggedIn, words: Words) -> None:
        self._sessions = logged_in.sessions
        self._words = words
        self.pages: H5Pages = logged_in.pages

    def shown(
        self, request: Request, session: H5Session, page: str, status: int = 200, **facts: object
    ) -> web.Response:
        """A page without scripts."""
        return self.pages.of_kind("plain", request, page, self._common(session) | facts, status)

    def of_kind(
        self, kind: Kind, request: Request, session: H5Session, page: str, **facts: object
    ) -> web.Response:
        """A page with scripts, or one that leads to WeChat Pay."""
        return self.pages.of_kind(kind, request, page, self._common(session) | facts)

    def _common(self, session: H5Session) -> dict[str, object]:
        return {"csrf": self._sessions.csrf(session), "home": HOME, "way": _WAYS}

    def said(self, refusal: DomainError) -> str:
        """A refusal in words."""
        return self._words.refusal(refusal)

    def refused(
        self, request: Request, session: H5Session, refusal: DomainError, back: str = CODE
    ) -> web.Response:
        """A page that says why not, and leads back."""
        words = self.said(refusal)
        return self.shown(request, session, "ride_refused", 409, words=words, what=refusal.code, back=back)


class RidePages:
    """Shows codes to who may ride, and to anyone else what is in the way."""

    def __init__(self, logged_in: LoggedIn, riding: Riding, assets: Assets) -> None:
        self._logged_in = logged_in
        self._riding = riding
        self._assets = assets
        self._view = RideView(logged_in, riding.words)

    def routes(self) -> list[Route]:
        """Who is logged in may call them; others are led to the login. The scripts are anybody's."""
        page, form = self._logged_in.page, self._logged_in.form
        return [
            *self._assets.routes(),
            Route("GET", CODE, page(self._page), "citizen"),
            Route("POST", GRANT, form(self._grant), "citizen"),
            Route("GET", PICTURE, page(self._before_picture), "citizen"),
            Route("POST", PICTURE, form(self._picture), "citizen"),
        ]

    async def _page(self, request: Request, session: H5Session) -> web.Response:
        account = await self._riding.transit.account(session.citizen)
        if not account.may_come_out:
            if account.state is not State.ACTIVE or account.behind:
                return self._stands(request, session, account)
            if not await self._riding.agreed(session.citizen):
                return self._logged_in.pages.led(OPEN)
        facts = {"grant_at": GRANT, "script": self._assets.address(_SCRIPT), "companions": True}
        return self._view.of_kind("scripted", request, session, "ride", **facts)

    def _stands(self, request: Request, session: H5Session, account: Account) -> web.Response:
        did = request.query.get("did", "")
        return self._view.shown(request, session, "ride_account", account=account, did=did)

    async def _grant(self, _request: Request, session: H5Session, form: Form) -> web.Response:
        """For the script: a grant, or why there is none; 503 where it may ask again."""
        key = _key(form.get("key", ""))
        if key is None:
            return self._view.pages.told({"words": "", "what": "no_key"}, 400)
        companion = form.get("type") == "companion"
        try:
            granted = await self._riding.transit.grant(session.citizen, key, companion=companion)
        except IssuerGone as gone:
            return self._view.pages.told({"words": self._view.said(gone), "what": gone.code}, 503)
        except DomainError as refusal:
            return self._view.pages.told({"words": self._view.said(refusal), "what": refusal.code}, 409)
        except ValueError:  # the issuer signs for no such key
            return self._view.pages.told({"words": "", "what": "no_key"}, 400)
        return self._view.pages.told(_as_told(granted) | self._only_out(granted.refusal))

    def _only_out(self, refusal: DomainError | None) -> dict[str, object]:
        """What the page says beside a code that is good for a way out alone."""
        return {} if refusal is None else {"words": self._view.said(refusal), "what": refusal.code}

    async def _before_picture(self, request: Request, session: H5Session) -> web.Response:
        """Each picture is one of a day's few: looking at this page makes none."""
        return self._view.shown(request, session, "ride_picture", it=None, most=MOST_PICTURES)

    async def _picture(self, request: Request, session: H5Session, _form: Form) -> web.Response:
        try:
            it = await self._riding.transit.picture(session.citizen)
        except DomainError as refusal:
            return self._view.refused(request, session, refusal)
        return self._view.shown(request, session, "ride_picture", it=it, image=as_image(it.text))


def _key(text: str) -> bytes | None:
    """The public half of a page's key; None for anything else."""
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == _KEY_BYTES else None


def _as_told(granted: Granted) -> dict[str, object]:
    """Times are Unix seconds; the page makes codes by our clock, not by the phone's."""
    return {
        "grant": base64.urlsafe_b64encode(granted.signed).decode().rstrip("="),
        "expires": int(granted.expires_at.timestamp()),
        "now": granted.now.timestamp(),
    }
