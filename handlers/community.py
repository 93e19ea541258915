"""登记住址, 我的住址, 退出住址: where citizens live, in chat."""

from functools import partial

from core.chat.dialogue import Ask
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId
from handlers import community_lines as lines
from handlers.checked import RIGHT, WRONG
from handlers.consent import consent
from services.citizens.consent_texts import COMMUNITY
from services.citizens.consents import Consents
from services.citizens.papers import Papers
from services.community.service import Homes, Places, room_of

router = Router("community")

_LEAVE, _STAY = ("退出", "退掉", "搬走了", "不住了", "确认退出"), ("保留", "不退", "先不退", "还住")


@router.dialogue(
    "登记住址", "登记地址", "绑定住址", "绑定地址", "绑定小区", "登记小区", "加入小区", "加入社区",
    "登记房子", "绑定房子", "绑定房屋", "添加住址", click="COMMUNITY_HOME",
)  # fmt: skip
async def register(ask: Ask, places: Places, homes: Homes, papers: Papers, consents: Consents) -> Reply:
    """同意 → 小区 → 楼栋 → 单元 → 门牌号 → 业主、租户 → 姓名 → 核对; staff of the place decides."""
    await consent(ask, consents, COMMUNITY)
    place = await _place(ask, places)
    room = await ask.text("room", room_of)
    role = await ask.choice("role", lines.roles)
    name = await ask.text("name", papers.name)
    wish = homes.wish(place, role, room, name)
    await ask.confirm("home_confirm", partial(homes.shown, wish), yes=RIGHT, no=WRONG)
    await ask.once("request", partial(homes.request, wish, ask.citizen))
    return Text("community/asked", it=await homes.shown(wish))


async def _place(ask: Ask, places: Places) -> str:
    """A compound or community by its name, then down to where the door is."""
    said = await ask.text("which_place", places.name)
    named = partial(lines.named, places, said)
    await ask.only("place", named)
    place = await ask.choice("place", named)
    while found := await lines.parts(places, place):
        key, parts = f"{place}@community/part", partial(lines.these, found)
        await ask.only(key, parts, whatever=True)
        place = await ask.choice(key, parts)
    return place


@router.on(
    "我的住址", "我的地址", "我的小区", "我的社区", "我的房子", "我住哪", "我登记的住址", "查住址",
    click="COMMUNITY_HOMES",
)  # fmt: skip
async def mine(citizen: CitizenId, homes: Homes) -> Reply:
    """我的住址: what is registered, and what waits for staff."""
    return Text("community/homes", homes=await homes.mine(citizen))


@router.dialogue(
    "退出住址", "退出小区", "退出社区", "解绑住址", "解绑小区", "删除住址", "我搬家了", "搬家了", "我搬走了",
)  # fmt: skip
async def leave(ask: Ask, homes: Homes) -> Reply:
    """哪一个 → 确认 → 退出."""
    held = partial(lines.held, homes, ask.citizen)
    await ask.only("leave_which", held)
    which = await ask.choice("leave_which", held)
    await ask.confirm(
        "leave_confirm", partial(lines.one_held, homes, ask.citizen, which), yes=_LEAVE, no=_STAY
    )
    await ask.once("leave", partial(homes.leave, which, ask.citizen))
    return Text("community/left")
