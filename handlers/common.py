"""What every account says: the welcome, help, the human desk, and what to do when nobody understood."""

from functools import partial

from core.chat import answers
from core.chat.desk import Desk
from core.chat.dialogue import Ask
from core.chat.events import Event, Kind
from core.chat.replies import Reply, Silence, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Nearest
from core.delivery.kept import Kept
from core.errors import DomainError
from services.citizens.service import Citizens

router = Router("common")

_MENU_DIGITS = 4  # a number of so few digits was meant for some menu; a longer one is somebody's phone
_THANKS = (
    "谢谢", "谢谢你", "谢谢您", "谢谢你们", "谢", "非常感谢", "太感谢", "感谢", "感谢您", "感谢你", "多谢",
    "辛苦", "辛苦你", "辛苦您", "麻烦你", "麻烦您",
)  # fmt: skip
_HELLO = ("你好", "您好", "早上好", "上午好", "中午好", "下午好", "晚上好")
_WHO = (
    "你是机器人", "您是机器人", "是机器人", "机器人", "你是人", "你是真人", "您是真人", "是真人", "你是谁",
    "您是谁", "你是什么", "你叫什么", "你叫什么名字", "你是自动回复", "是自动回复",
)  # fmt: skip
_TO_WHOM = (
    "姑娘",
    "小姑娘",
    "师傅",
    "同志",
    "大夫",
    "医生",
    "老师",
    "小伙子",
    "美女",
    "帅哥",
    "大姐",
    "大哥",
)
_GOODBYE = ("再见", "拜拜", "拜", "回见", "再会", "晚安")
_WAIT = (
    "等一下", "等下", "等一等", "等等", "等会", "等会儿", "等一会", "等一会儿", "等我", "等我一下", "稍等",
    "请稍等", "稍等一下", "请等一下", "你等一下", "您等一下", "稍候", "慢点", "别急", "停一下", "停一停",
    "暂停", "先停一下", "想想", "我想想", "想一下", "我想一下", "想一想", "我想一想", "让我想想",
    "让我想一下", "再想想", "我再想想", "考虑一下", "我考虑一下", "考虑考虑", "我考虑考虑", "我看看",
    "我看一下", "我问问", "我问一下", "我问问孩子", "我拿眼镜", "我找眼镜", "我找一下眼镜", "我戴眼镜",
)  # fmt: skip


class SaysNothing(DomainError):  # noqa: N818 - a refusal is named by what is the case
    """What was written for the staff is no message: a digit, a nod, a polite word."""

    code = "says_nothing"


def _with_endings(words: tuple[str, ...], *endings: str) -> tuple[str, ...]:
    """The words as they are, and with the syllables people hang on them."""
    return tuple(dict.fromkeys(word + ending for word in words for ending in ("", *endings)))


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
    "帮助", "菜单", "主菜单", "首页", "功能", "怎么用", "不会用", "help", click="HELP", anywhere=True,
)  # fmt: skip
async def help_(_event: Event) -> Reply:
    """帮助: what can be done here, in words to say."""
    return Text("common/help")


@router.on(
    *_with_endings(_HELLO, "啊", "呀", "哦", "姑娘", "师傅", "同志"), "喂", "喂喂", "喂你好", "喂您好",
    "在吗", "在不在", "有人吗", "hello", "hi", anywhere=True,
)  # fmt: skip
async def hello() -> Reply:
    """你好: a greeting, and what can be done here."""
    return Text("common/hello")


@router.on(*_with_endings(_WHO, "吗", "啊", "呀", "吧", "呢"), anywhere=True, aside=True)
async def who() -> Reply:
    """你是机器人吗: what answers here, and how to reach a person."""
    return Text("common/who")


@router.on(
    *_with_endings(_THANKS, "啊", "了", "啦", "哦", "哈", *_TO_WHOM),
    "谢谢谢谢",
    "thanks",
    anywhere=True,
    aside=True,
)
async def thanks() -> Reply:
    """谢谢: a short polite word; a question that is open stays open."""
    return Text("common/thanks")


@router.on(
    *_with_endings(_GOODBYE, "了", "啦", "哦"), "bye", "byebye", "bye bye", "{thanks}再见", "{thanks}拜拜",
    anywhere=True, aside=True,
)  # fmt: skip
async def goodbye() -> Reply:
    """再见: a short polite word; a question that is open stays open."""
    return Text("common/goodbye")


@router.on(*_with_endings(_WAIT, "啊", "哦", "吧", "哈"), anywhere=True, aside=True)
async def wait() -> Reply:
    """等一下, 我想想: there is time; a question that is open stays open."""
    return Text("common/wait")


@router.dialogue(
    "人工", "转人工", "人工服务", "人工客服", "找人工", "客服", "工作人员", "找工作人员", "真人", "找真人",
    "找个人说话", "找人说话", "投诉", "我要投诉", click="DESK", anywhere=True,
)  # fmt: skip
async def desk(ask: Ask, desk: Desk) -> Reply:
    """人工: says when somebody is there and how to call, and takes a message in any case."""
    message = await ask.text("desk", _something_said, load=partial(_somebody_there, desk))
    if answers.yes_or_no(answers.fold(message)) is False:
        return Text("common/desk_declined")
    number = await ask.once("leave", partial(desk.leave, ask.event.conversation, message))
    return Text("common/desk_left", number=number, message=message)


@router.on(
    "人工电话", "人工服务电话", "人工客服电话", "客服电话", "工作人员电话", "人工热线", "打电话找人工",
    "电话人工", "转电话", "有电话吗", "人工几点上班", "人工几点下班", "人工上班时间", "人工在吗",
    "工作人员几点上班", "工作人员在吗", "{who}人工电话", "{who}客服电话",
)  # fmt: skip
async def desk_phone(desk: Desk) -> Reply:
    """人工电话: how to speak to a person, and when somebody is there."""
    return Text("common/desk_phone", there=desk.is_open())


@router.on(
    "未读", "未读消息", "看未读", "查看未读", "看看未读", "未读的消息", "看未读消息", "查看未读消息",
    "我的未读", "下一条未读", anywhere=True,
)  # fmt: skip
async def unread(event: Event, kept: Kept) -> Reply:
    """未读: the oldest message that was kept for this moment, and how many more there are."""
    one = await kept.show(event.conversation, event.id)
    if one is None:
        return Text("common/unread_none")
    return Text("common/unread", it=one.letter, left=one.left)


def _something_said(message: str) -> str:
    """Refuse what is no message to anybody: a digit, a nod, a polite word, a flower."""
    folded = answers.fold(message)
    short_number = answers.number(folded) is not None or (folded.isdecimal() and len(folded) <= _MENU_DIGITS)
    agreed = answers.is_nod(folded) and answers.yes_or_no(folded) is not False
    if short_number or agreed or not answers.bare(folded) or answers.is_sticker(message):
        raise SaysNothing(said=message)
    return message


async def _somebody_there(desk: Desk) -> bool:
    return desk.is_open()


@router.fallback
async def lost(event: Event, nearest: Nearest) -> Reply:
    """Nobody understood: say what was heard and offer the nearest two services."""
    return Text("common/lost", said=event.text, nearest=nearest)
