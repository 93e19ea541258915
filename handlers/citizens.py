"""绑定, 我的家人, 同意, 拒绝, 解绑: who may act for whom, in chat."""

from collections.abc import Awaitable, Callable
from functools import partial

from core.chat.answers import fold
from core.chat.dialogue import Ask
from core.chat.interrupts import GoesOn
from core.chat.prompts import Prompt
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId
from core.effects import Effect, digest_of
from handlers.for_whom import WHOM
from services.citizens.errors import CodeSentAgain, WrongCode
from services.citizens.model import Way
from services.citizens.proving import Proving
from services.citizens.relations import ONESELF
from services.citizens.service import Families

router = Router("citizens")

_AGAIN = ("重发", "重新发", "再发一次", "没收到", "没有收到", "收不到")
_ANOTHER_WAY = ("换个方式", "换方式", "换一个方式", "别的方式", "其他方式")
_RIGHT = ("没错", "对的", "核对无误", "是对的", "提交", "就这样")
_WRONG = ("写错了", "错了", "有错", "重写")


@router.dialogue(
    "绑定", "添加家人", "绑定家人", "绑定亲人", "添加亲人", "加家人", "绑定本人", "绑定自己", "实名", "实名认证",
    "绑定就诊人", "添加就诊人", click="FAMILY_BIND",
)  # fmt: skip
async def bind(ask: Ask, families: Families, proving: Proving) -> Reply:
    """是您什么人 → 姓名 → 证件号码 → 您是谁 → 核对 → 怎样证明; whoever waits for it gets the person."""
    relation = await ask.choice("relation", families.relations)
    name = await ask.text("name", families.name)
    id_number = await ask.text("id_number", families.id_number)
    asker = "" if relation == ONESELF else await ask.text("asker", families.asker)
    wish = families.wish(relation, name, id_number, asker)
    await ask.confirm("bind_confirm", partial(families.shown, wish), yes=_RIGHT, no=_WRONG)
    request = await ask.once("request", partial(families.request, wish, ask.citizen))
    way = await ask.choice("way", partial(proving.ways, request, ask.citizen))
    if way == Way.PERSON:
        await ask.once("ask_person", partial(proving.ask_person, request, ask.citizen))
        return await _wait(ask, proving, request, "citizens/asked_person")
    if way == Way.COUNTER:
        return await _wait(ask, proving, request, "citizens/at_counter")
    if way == Way.ROSTER:
        await ask.once("roster", partial(proving.check_roster, request, ask.citizen))
    else:
        await _prove_by_code(ask, proving, request, way)
    bound = await families.bound(request, ask.citizen)
    ask.bring(bound.id)
    return Text("citizens/bound", it=bound)


async def _prove_by_code(ask: Ask, proving: Proving, request: str, way: str) -> None:
    """The institution sends a code to the phone it knows, and says whether it is the right one."""
    send = partial(proving.send_code, request, ask.citizen, way)
    await ask.once(f"send_{way}", send)
    code = await ask.text("code", partial(_code, ask, proving, send), partial(proving.sent_by, way))
    try:
        await ask.once("proved", partial(proving.check_code, request, ask.citizen, code))
    except WrongCode as wrong:
        ask.again("code", because=wrong)


async def _code(ask: Ask, proving: Proving, send: Callable[[Effect], Awaitable[str]], said: str) -> str:
    """The digits of a code; 重发 sends another, 换个方式 leads back to the ways."""
    folded = fold(said)
    if folded in _ANOTHER_WAY:
        ask.again("way")
    if folded in _AGAIN:
        await send(Effect(f"{ask.event.id}/citizens.bind", "send_again", digest_of(send)))
        raise CodeSentAgain
    return proving.code(said)


async def _wait(ask: Ask, proving: Proving, request: str, template: str) -> Reply:
    """Say that the other side is waited for; the dialogue that needs the person is kept until then."""
    title = ask.awaited_by
    if title:
        await proving.keep(request, ask.citizen, ask.put_away(), title)
    reply = Text(template, it=await proving.standing(request, ask.citizen), title=title)
    if title:
        ask.end_both(reply)
    return reply


@router.on("我的家人", "家人", "我的亲人", "家庭成员", "我绑定的人", "就诊人", "我的就诊人", click="FAMILY_MINE")
async def family(citizen: CitizenId, families: Families) -> Reply:
    """我的家人: whom the citizen may act for, who waits for an answer, and who may act for them."""
    return Text(
        "citizens/family",
        people=(await families.people(citizen))[1:],
        requests=await families.open_requests(citizen),
        asked=await families.asked_of(citizen),
        holders=await families.holders(citizen),
    )


@router.dialogue("同意", "我同意", "同意绑定", prompts={("binding_consent", "agree"): "agree_which"})
async def agree(ask: Ask, families: Families, proving: Proving) -> Reply:
    """哪一个 → 确认 → 同意: the bound person says yes in their own chat."""
    asked = partial(families.asked_of, ask.citizen)
    await ask.only("agree_which", asked)
    which = await ask.choice("agree_which", asked)
    await ask.confirm(
        "agree_confirm", partial(families.asked, which, ask.citizen), yes=("同意", "我同意"), no=("不同意", "拒绝")
    )
    await ask.once("agree", partial(proving.approve, which, ask.citizen))
    return Text("citizens/agreed")


@router.dialogue("拒绝", "不同意", "拒绝绑定", prompts={("binding_consent", "refuse"): "refuse_which"})
async def refuse(ask: Ask, families: Families, proving: Proving) -> Reply:
    """哪一个 → 确认 → 拒绝."""
    asked = partial(families.asked_of, ask.citizen)
    await ask.only("refuse_which", asked)
    which = await ask.choice("refuse_which", asked)
    await ask.confirm(
        "refuse_confirm", partial(families.asked, which, ask.citizen), yes=("拒绝", "不同意"), no=("先不", "先等等")
    )
    await ask.once("refuse", partial(proving.refuse, which, ask.citizen))
    return Text("citizens/refused")


@router.dialogue("解绑", "解除绑定", "取消绑定", "删除家人", "移除家人", "不让绑定", click="FAMILY_UNBIND")
async def unbind(ask: Ask, families: Families) -> Reply:
    """哪一个 → 确认 → 解绑: of one's own people, or of who may act for oneself."""
    held = partial(families.endable, ask.citizen)
    await ask.only("unbind_which", held)
    which = await ask.choice("unbind_which", held)
    await ask.confirm(
        "unbind_confirm", partial(families.held, which, ask.citizen), yes=("解绑", "解除"), no=("保留", "不解绑")
    )
    await ask.once("unbind", partial(families.revoke, which, ask.citizen))
    return Text("citizens/unbound")


@router.on(prompts={("binding_approved", "go_on"): ""})
async def go_on(citizen: CitizenId, families: Families, proving: Proving, prompt: Prompt) -> Reply:
    """1 继续: what waited for the person goes on where it was."""
    kept = await proving.kept(prompt.about, citizen)
    bound = await families.bound(prompt.about, citizen)
    if kept is None:
        return Text("citizens/nothing_kept", it=bound)
    raise GoesOn(kept, {WHOM: bound.id}, Text("citizens/go_on", it=bound))


@router.on(prompts={("binding_approved", "drop"): ""})
async def drop(citizen: CitizenId, proving: Proving, prompt: Prompt) -> Reply:
    """2 不用了: what waited is forgotten; the binding stays."""
    await proving.drop(prompt.about, citizen, prompt.effect)
    return Text("citizens/dropped")
