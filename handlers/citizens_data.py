"""我的数据, 导出, 更正, 删除, 停止, 恢复: what citizens may ask of their data, in chat (domain-rules 0.3)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from core.chat.dialogue import Ask
from core.chat.events import Event, Kind, Revoked
from core.chat.replies import Reply, Silence, Text
from core.chat.router import Router
from core.chat.routes import CitizenId
from core.effects import Effect, digest_of
from services.citizens.consents import Consents
from services.citizens.erasure import Erasing
from services.citizens.errors import NotBound
from services.citizens.exports import Exports
from services.citizens.families import Families
from services.citizens.rights import Rights
from services.citizens.withdrawing import Withdrawing

router = Router("citizens")

_CONSENT = "consent:"  # in front of what is stopped by taking a consent back
_YES = ("删除", "确认删除", "确定删除", "确定", "都删了")
_NO = ("不删", "不删除", "保留", "再想想")
_KINDS = ("name", "id_number", "other")
_ALIASES = {
    "name": ("姓名", "名字", "我的名字", "名字错了"),
    "id_number": ("身份证", "身份证号", "身份证号码", "证件号码", "号码"),
    "other": ("其他", "别的", "其它"),
    "news": ("城市通知", "通知", "群发", "消息"),
    "reminders": ("就诊提醒", "提醒", "挂号提醒"),
}


@dataclass(frozen=True, slots=True)
class _Line:
    """One thing to choose: what is wrong, or what is stopped.

    Of a consent: its title and purpose, and if it is about one person in particular, who and `whose` it is.
    """

    id: str
    title: str = ""
    purpose: str = ""
    person: str = ""
    whose: str = ""

    @property
    def aliases(self) -> tuple[str, ...]:
        return _ALIASES.get(self.id, ())


@router.on(
    "我的数据", "我的信息", "我的个人信息", "个人信息", "你们有我什么信息", "存了我什么", "隐私", "我的隐私",
    click="DATA_MINE",
)  # fmt: skip
async def mine(citizen: CitizenId, rights: Rights, erasing: Erasing) -> Reply:
    """我的数据: what is stored, masked, and what can be asked."""
    portions = {each.portion.name: each.portion for each in await rights.mine(citizen)}
    return Text("citizens/data", it=portions, waits=await erasing.waiting(citizen))


@router.on("数据用途", "用途和期限", "数据期限", "信息用途", "放多久", "用来做什么")
async def purposes() -> Reply:
    """数据用途: what it is for, and how long it stays."""
    return Text("citizens/data_purposes")


@router.on("导出", "导出数据", "导出我的数据", "下载我的数据", "我的数据导出", click="DATA_EXPORT")
async def export(event: Event, citizen: CitizenId, exports: Exports) -> Reply:
    """导出: a link for a day, which wants to know again who opens it."""
    make = partial(exports.link, citizen)
    link = await make(Effect(f"{event.id}/citizens.export", "export", digest_of(make)))
    return Text("citizens/export", link=link)


@router.dialogue("更正", "更正信息", "改正", "信息错了", "改姓名", "我的信息错了", click="DATA_CORRECT")
async def correct(ask: Ask, rights: Rights) -> Reply:
    """哪里错了 → 应该是什么; a person looks at it."""
    kind = await ask.choice("correct", _wrong)
    if kind != "other":
        await rights.may_correct(ask.citizen)
    words = await ask.text("correct_words", rights.words)
    number = await ask.once("correct_asked", partial(rights.correct, ask.citizen, kind, words))
    return Text("citizens/correcting", number=number, due_on=await rights.due_on(number, ask.citizen))


@router.dialogue(
    "删除", "删除数据", "删除我的数据", "删除我的信息", "删除账号", "注销", "注销账号", "清除我的数据",
    click="DATA_ERASE",
)  # fmt: skip
async def erase(ask: Ask, erasing: Erasing) -> Reply:
    """What goes and what stays → 确认; done at once, or when nothing is promised any more."""
    await ask.confirm("erase_confirm", partial(erasing.preview, ask.citizen), yes=_YES, no=_NO)
    number = await ask.once("erase", partial(erasing.ask, ask.citizen))
    receipt = await erasing.receipt(number)
    if receipt.state == "done":
        ask.end_for_good(Text("citizens/erased", it=receipt))
    return Text("citizens/erase_waits", it=receipt)


@router.on("不删了", "不删除了", "撤回删除", "撤销删除", "别删了", "先别删")
async def keep(event: Event, citizen: CitizenId, erasing: Erasing) -> Reply:
    """不删了: what waits to be erased is kept."""
    back = partial(erasing.withdraw, citizen)
    await back(Effect(f"{event.id}/citizens.keep", "keep", digest_of(back)))
    return Text("citizens/erase_withdrawn")


@router.on("查回执{number}", "删除回执{number}", "回执{number}")
async def receipt(number: str, erasing: Erasing) -> Reply:
    """查回执: what a receipt says; it says of nobody."""
    return Text("citizens/receipt", it=await erasing.receipt(number))


@router.dialogue("停止", "停止通知", "停止使用", "不要通知", "退订", "停用", click="DATA_STOP")
async def stop(
    ask: Ask, rights: Rights, consents: Consents, families: Families, withdrawing: Withdrawing
) -> Reply:
    """停什么 → 停了什么、什么照常 → 确认."""
    line = partial(_stopping, consents, families, ask.citizen)
    what = await ask.choice("stop", partial(_running, rights, consents, line, ask.citizen))
    it = await line(what)
    await ask.confirm("stop_confirm", partial(line, what), yes=("停止", "停"), no=("不停", "保留"))
    if it.purpose:
        await ask.once("withdraw", partial(withdrawing.withdraw, ask.citizen, it.purpose, it.person))
    else:
        await ask.once("stop_now", partial(rights.stop, ask.citizen, what))
    return Text("citizens/stopped", it=it)


@router.dialogue("恢复", "恢复通知", "重新接收", "恢复提醒", click="DATA_RESUME")
async def resume(ask: Ask, rights: Rights) -> Reply:
    """恢复什么: notices that were stopped come again."""
    lines = partial(_stopped, rights, ask.citizen)
    await ask.only("resume", lines)
    what = await ask.choice("resume", lines)
    await ask.once("resume_now", partial(rights.resume, ask.citizen, what))
    return Text("citizens/resumed", what=what)


@router.on(kinds=[Kind.AUTHORIZATION_REVOKED, Kind.USER_INFO_MODIFIED])
async def revoked(event: Event, erasing: Erasing) -> Reply:
    """A permission was taken back at WeChat: what was obtained under it goes, the rest goes on."""
    if event.kind is Kind.AUTHORIZATION_REVOKED and isinstance(event.detail, Revoked):
        await erasing.revoked(event.conversation, event.detail.info)
    return Silence()


async def _wrong() -> list[_Line]:
    return [_Line(each) for each in _KINDS]


async def _running(
    rights: Rights, consents: Consents, line: Callable[[str], Awaitable[_Line]], citizen: str
) -> list[_Line]:
    """What can be stopped: notices that come, and what was agreed to, of all or about one person."""
    stopped = await rights.stopped(citizen)
    notices = [each for each in rights.stoppable() if each not in stopped]
    granted = [f"{_CONSENT}{each.purpose}:{each.person}" for each in await consents.granted(citizen)]
    return [await line(each) for each in (*notices, *granted)]


async def _stopped(rights: Rights, citizen: str) -> list[_Line]:
    return [_Line(each) for each in await rights.stopped(citizen)]


async def _stopping(consents: Consents, families: Families, citizen: str, what: str) -> _Line:
    if not what.startswith(_CONSENT):
        return _Line(what)
    purpose, _, person = what.removeprefix(_CONSENT).partition(":")
    whose = await _called(families, citizen, person) if person else ""
    return _Line(what, consents.texts.current(purpose).title, purpose, person, whose)


async def _called(families: Families, citizen: str, person: str) -> str:
    """What a citizen calls a person; "" for who is not theirs any more."""
    try:
        return (await families.relative(citizen, person)).called
    except NotBound:
        return ""
