"""What every account says: the welcome, help, the human desk, and what to do when nobody understood."""

from functools import partial

from core.chat.desk import Desk
from core.chat.dialogue import Ask
from core.chat.events import Event, Kind
from core.chat.replies import Reply, Silence, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Nearest
from services.citizens.service import Citizens

router = Router("common")


@router.on(kinds=[Kind.SUBSCRIBE, Kind.SCAN])
async def welcome(citizen: CitizenId) -> Reply:
    """关注, or 扫码 by who follows already, whatever the scene.

    Asking for the citizen makes the account known, or following again.
    """
    del citizen
    return Text("common/welcome")


@router.on(kinds=[Kind.UNSUBSCRIBE])
async def farewell(event: Event, citizens: Citizens) -> Reply:
    """取消关注: nothing is said, nobody would read it."""
    await citizens.leave(event.conversation)
    return Silence()


@router.on(
    "帮助", "菜单", "主菜单", "首页", "功能", "你好", "您好", "怎么用", "不会用", "早上好", "上午好",
    "下午好", "晚上好", "在吗", "help", "hello", "hi", click="HELP", anywhere=True,
)  # fmt: skip
async def help_(_event: Event) -> Reply:
    """帮助: what can be done here, in words to say."""
    return Text("common/help")


@router.on(
    "谢谢", "谢谢你", "谢谢您", "谢谢啦", "谢谢了", "谢了", "谢谢谢谢", "非常感谢", "感谢", "感谢您", "多谢",
    "辛苦了", "thanks", anywhere=True,
)  # fmt: skip
async def thanks() -> Reply:
    """谢谢: a short polite word."""
    return Text("common/thanks")


@router.on(
    "再见", "再见啦", "再见了", "拜拜", "拜拜了", "拜拜啦", "拜", "回见", "再会", "晚安", "bye", "byebye",
    "bye bye", "{thanks}再见", "{thanks}拜拜", anywhere=True,
)  # fmt: skip
async def goodbye() -> Reply:
    """再见: a short polite word; a question that is open stays open."""
    return Text("common/goodbye")


@router.dialogue(
    "人工", "转人工", "人工服务", "人工客服", "找人工", "客服", "工作人员", "找工作人员", "真人", "找真人",
    "找个人说话", "找人说话", "投诉", "我要投诉", click="DESK", anywhere=True,
)  # fmt: skip
async def desk(ask: Ask, desk: Desk) -> Reply:
    """人工: says when somebody is there and how to call, and takes a message in any case."""
    message = await ask.text("desk", load=partial(_somebody_there, desk))
    number = await ask.once("leave", partial(desk.leave, ask.event.conversation, message))
    return Text("common/desk_left", number=number)


async def _somebody_there(desk: Desk) -> bool:
    return desk.is_open()


@router.fallback
async def lost(event: Event, nearest: Nearest) -> Reply:
    """Nobody understood: say what was heard and offer the nearest two services."""
    return Text("common/lost", said=event.text, nearest=nearest)
