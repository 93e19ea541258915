"""行程, 欠费: the rides of a citizen, and what is still to be paid for them."""

from functools import partial

from core.chat.dialogue import Ask
from core.chat.events import Event
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Notes
from services.transit.accounts import State
from services.transit.listing import Ride
from services.transit.pages import TRIPS, RideLinks
from services.transit.service import Transit

router = Router("transit")

_BEFORE = "rides_before"  # in the session's notes: where 更早的行程 goes on
_SHOWN = 4  # rides of a page in chat: each is one line
_PAY = ("现在付", "付", "付款", "马上付", "交", "交钱", "补交", "缴费", "付清")
_LATER = ("以后再付", "先不付", "不付", "以后付", "晚点付")


@router.on(
    "行程", "我的行程", "乘车记录", "坐车记录", "乘车行程", "行程记录", "扣款记录", "乘车扣款", "车费记录",
    "查行程", "看行程", "我坐了几次车", click="TRANSIT_RIDES",
)  # fmt: skip
async def rides(event: Event, citizen: CitizenId, transit: Transit, links: RideLinks, notes: Notes) -> Reply:
    """行程: the latest rides."""
    return await _page(citizen, transit, notes, links.to(TRIPS, event.account), None)


@router.on("更早的行程", "更早行程", "以前的行程", "往前的行程")
async def earlier(
    event: Event, citizen: CitizenId, transit: Transit, links: RideLinks, notes: Notes
) -> Reply:
    """更早的行程: those before the ones shown last."""
    before = notes.get(_BEFORE, "")
    return await _page(
        citizen, transit, notes, links.to(TRIPS, event.account), int(before) if before else None
    )


@router.dialogue(
    "欠费", "我欠费了吗", "欠费了吗", "欠多少", "欠多少钱", "欠费补缴", "补缴", "补缴车费", "补交车费",
    "交车费", "付车费", "还车费", "车费没付", "查欠费", click="TRANSIT_DEBTS",
)  # fmt: skip
async def debts(ask: Ask, transit: Transit) -> Reply:
    """欠费 → 现在付."""
    transit.require_lines()
    if not ask.knows("pay_confirm") and not await transit.behind(ask.citizen):
        rides = (await transit.account(ask.citizen)).state is State.ACTIVE
        return Text("transit/no_debts", rides=rides)
    await ask.confirm("pay_confirm", partial(_behind, transit, ask.citizen), yes=_PAY, no=_LATER)
    tried = await ask.once("pay", partial(transit.tried, ask.citizen))
    return Text("transit/paying", tried=int(tried))


async def _behind(transit: Transit, citizen: str) -> list[Ride]:
    return await transit.behind(citizen)


async def _page(citizen: str, transit: Transit, notes: Notes, link: str, before: int | None) -> Reply:
    transit.require_lines()
    found = await transit.rides(citizen, before)
    shown = found[:_SHOWN]
    more = len(found) > _SHOWN
    notes[_BEFORE] = str(shown[-1].id) if more else ""
    return Text("transit/rides", rides=shown, more=more, later=before is not None, link=link)
