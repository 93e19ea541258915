"""乘车码, 开通, 图片码, 关闭乘车码: ride codes in chat."""

from functools import partial

from core.chat.dialogue import Ask
from core.chat.events import Event
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId
from handlers import transit_fares, transit_rides
from handlers.consent import consent
from services.citizens.consent_texts import TRANSIT
from services.citizens.consents import Consents
from services.transit.accounts import Account, State
from services.transit.errors import Closing, InArrears, NotOpened, Suspended
from services.transit.pages import CODE, OPEN, PAY, RideLinks
from services.transit.pictures import Pictures
from services.transit.service import Transit

router = Router("transit").include(transit_rides.router, transit_fares.router)

_CLOSE = ("关闭", "关掉", "注销", "确认关闭", "确定关闭", "是的关闭", "不用了")
_KEEP = ("保留", "不关闭", "不关了", "先不关", "留着")


@router.on(
    "乘车码", "我的乘车码", "打开乘车码", "出示乘车码", "二维码乘车", "扫码乘车", "扫码坐车", "刷码乘车",
    "刷码坐车", "乘车", "坐车", "我要坐车", "坐地铁", "我要坐地铁", "坐公交", "坐公交车", "我要坐公交",
    "地铁码", "公交码", "地铁乘车码", "公交乘车码", "坐地铁怎么刷", "怎么坐地铁", "怎么坐公交",
    click="TRANSIT_CODE",
)  # fmt: skip
async def code(event: Event, citizen: CitizenId, transit: Transit, links: RideLinks) -> Reply:
    """乘车码: the page that makes codes, or what is in the way of it."""
    account = await _account(transit, citizen)
    shows = account.may_come_out or account.state is State.ACTIVE
    page = PAY if account.behind and not account.may_come_out else CODE if shows else OPEN
    return Text("transit/code", it=account, state=account.state.value, link=links.to(page, event.account))


@router.dialogue(
    "开通乘车码", "开通", "办乘车码", "办理乘车码", "申请乘车码", "注册乘车码", "怎么开通乘车码",
    "怎么办乘车码", click="TRANSIT_OPEN",
)  # fmt: skip
async def open_account(ask: Ask, transit: Transit, consents: Consents, links: RideLinks) -> Reply:
    """同意 → the page where the contract with WeChat Pay is signed."""
    account = await _account(transit, ask.citizen)
    if account.behind and await transit.is_signed(ask.citizen):
        raise InArrears(count=account.behind, fen=account.behind_fen)
    _require_not(account, State.SUSPENDED, State.CLOSING)
    await consent(ask, consents, TRANSIT)
    to = CODE if account.state is State.ACTIVE else OPEN
    return Text("transit/open", state=account.state.value, link=links.to(to, ask.event.account))


@router.on(
    "图片码", "乘车码图片", "发图片码", "发乘车码", "给我乘车码图片", "乘车码截图", "网页打不开",
    "乘车码打不开", click="TRANSIT_PICTURE",
)  # fmt: skip
async def picture(event: Event, citizen: CitizenId, transit: Transit, pictures: Pictures) -> Reply:
    """图片码: one code as a picture, which follows by itself."""
    await _account(transit, citizen)
    return Text("transit/picture", it=await pictures.send(citizen, event.conversation, event.id))


@router.dialogue(
    "关闭乘车码", "关掉乘车码", "注销乘车码", "停用乘车码", "取消乘车码", "不用乘车码了", "不用乘车码",
    "解约乘车码", "关闭免密支付", "取消免密支付", click="TRANSIT_CLOSE",
)  # fmt: skip
async def close(ask: Ask, transit: Transit) -> Reply:
    """确认 → 关闭."""
    account = await _account(transit, ask.citizen)
    if account.behind:
        raise InArrears(count=account.behind, fen=account.behind_fen)
    if not ask.knows("close_confirm"):
        if account.state is State.NONE:
            raise NotOpened
        _require_not(account, State.SUSPENDED, State.CLOSING)
    await ask.confirm("close_confirm", partial(_account, transit, ask.citizen), yes=_CLOSE, no=_KEEP)
    left = await ask.once("close", partial(transit.closed, ask.citizen))
    return Text("transit/closed", waits=left == State.CLOSING.value)


async def _account(transit: Transit, citizen: str) -> Account:
    """The account, where any line runs."""
    transit.require_lines()
    return await transit.account(citizen)


def _require_not(account: Account, *states: State) -> None:
    refusals = {State.SUSPENDED: Suspended, State.CLOSING: Closing}
    if account.state in states:
        raise refusals[account.state]
