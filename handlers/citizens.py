"""绑定, 我的家人, 同意, 拒绝, 解绑: who may act for whom, in chat."""

from functools import partial

from core.chat.answers import fold
from core.chat.dialogue import Ask
from core.chat.events import Event
from core.chat.interrupts import GoesOn
from core.chat.prompts import Prompt
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId
from handlers import citizens_data, citizens_looks
from handlers import citizens_lines as lines
from handlers.checked import RIGHT, WRONG
from handlers.citizens_proof import prove
from handlers.consent import consent
from handlers.for_whom import WHOM
from services.citizens.consent_texts import FAMILY, IDENTITY, MINORS
from services.citizens.consents import Consents
from services.citizens.families import Families
from services.citizens.model import SELF
from services.citizens.pages import OwnPages
from services.citizens.papers import Papers
from services.citizens.proving import Proving
from services.citizens.relations import TITLES
from services.citizens.whose import meant_by

router = Router("citizens").include(citizens_looks.router, citizens_data.router)

_YES, _NO = ("同意", "我同意"), ("不同意", "拒绝")
_REFUSE, _NOT_YET = ("拒绝", "不同意"), ("先不拒绝", "先等等")
_UNBIND, _KEEP = ("解绑", "解除", "解除绑定"), ("保留", "不解绑")


@router.dialogue(
    "绑定", "添加家人", "绑定家人", "绑定亲人", "添加亲人", "加家人", "实名", "实名认证",
    "绑定就诊人", "添加就诊人", click="FAMILY_BIND",
)  # fmt: skip
async def bind(ask: Ask, families: Families, proving: Proving, papers: Papers, consents: Consents) -> Reply:
    """是您什么人 → 同意 → 姓名 → 证件号码 → 您是谁 → 核对 → 怎样证明; whoever waits for it gets the person.

    Nothing personal is asked for before there is a consent to it. Who has asked before, and waits for the
    answer, needs to write nothing again.
    """
    called = await ask.wish("called")
    await ask.only("relation", partial(lines.relations, called), whatever=True)
    relation = await ask.choice("relation", partial(lines.relations, called, oneself=True))
    binding = await _asked_before(ask, families, relation)
    if not binding:
        name = await _whose_name(ask, papers, consents, relation)
        if not name:
            ask.bring((await families.people(ask.citizen))[0].id)
            return Text("citizens/oneself")
        binding = await _request(ask, families, papers, consents, (relation, name))
    await prove(ask, families, proving, papers, binding)
    bound = await lines.bound(families, ask.citizen, binding)
    ask.bring(bound.id)
    return Text("citizens/bound", it=bound)


async def _asked_before(ask: Ask, families: Families, relation: str) -> str:
    """The request that waits for somebody of this relation, if it is about them; "" for somebody else."""
    load = partial(lines.asked_before, families, ask.citizen, relation)
    if ask.knows("name") or (not ask.knows("asked_before") and not await load()):
        return ""
    which = await ask.choice("asked_before", load)
    return "" if which == lines.ANOTHER else which


async def _request(
    ask: Ask, families: Families, papers: Papers, consents: Consents, whom: tuple[str, str]
) -> str:
    """Ask for the rest of what a request needs, and make it."""
    relation, name = whom
    id_number = await ask.text("id_number", papers.id_number)
    if relation != SELF and papers.is_child(id_number):
        await consent(ask, consents, MINORS)
    asker = "" if relation == SELF else await ask.text("asker", papers.asker)
    wish = families.wish(relation, name, id_number, asker)
    await ask.confirm("bind_confirm", partial(papers.shown, wish), yes=RIGHT, no=WRONG)
    return await ask.once("request", partial(families.request, wish, ask.citizen))


async def _whose_name(ask: Ask, papers: Papers, consents: Consents, relation: str) -> str:
    """The name of who is added; "" if it is the citizen after all whom a dialogue waits for: 我自己."""
    if relation == SELF and ask.awaited_by:
        return ""
    if not await consent(ask, consents, IDENTITY if relation == SELF else FAMILY):
        return ""
    name = await ask.text("name", partial(_name, ask, papers))
    return "" if name == TITLES[SELF] else name


def _name(ask: Ask, papers: Papers, said: str) -> str:
    """A name, or that it is for oneself."""
    meant = meant_by(fold(said)) if ask.awaited_by else None
    return TITLES[SELF] if meant and meant[0] == TITLES[SELF] else papers.name(said)


@router.on(
    "我的家人", "家人", "我的亲人", "家庭成员", "我绑定的人", "就诊人", "我的就诊人", "谁绑定了我",
    "我绑定了谁", click="FAMILY_MINE",
)  # fmt: skip
async def family(event: Event, citizen: CitizenId, families: Families, pages: OwnPages) -> Reply:
    """我的家人: whom the citizen may act for, who waits for an answer, and who may act for them."""
    return Text(
        "citizens/family",
        people=[each for each in await families.people(citizen) if not each.is_self],
        requests=await families.open_requests(citizen),
        asked=await families.asked_of(citizen),
        holders=await families.holders(citizen),
        link=pages.me(event.account),
    )


@router.dialogue("同意", "我同意", "同意绑定", prompts={("binding_consent", "agree"): "agree_which"})
async def agree(ask: Ask, families: Families, proving: Proving) -> Reply:
    """哪一个 → 确认 → 同意: the bound person says yes in their own chat."""
    asked = partial(lines.asked_of, families, ask.citizen)
    await ask.only("agree_which", asked)
    which = await ask.choice("agree_which", asked)
    await ask.confirm("agree_confirm", partial(lines.asked, families, ask.citizen, which), yes=_YES, no=_NO)
    await ask.once("agree", partial(proving.approve, which, ask.citizen))
    return Text("citizens/agreed")


@router.dialogue("拒绝", "不同意", "拒绝绑定", prompts={("binding_consent", "refuse"): "refuse_which"})
async def refuse(ask: Ask, families: Families, proving: Proving) -> Reply:
    """哪一个 → 确认 → 拒绝."""
    asked = partial(lines.asked_of, families, ask.citizen)
    await ask.only("refuse_which", asked)
    which = await ask.choice("refuse_which", asked)
    shown = partial(lines.asked, families, ask.citizen, which)
    await ask.confirm("refuse_confirm", shown, yes=_REFUSE, no=_NOT_YET)
    await ask.once("refuse", partial(proving.refuse, which, ask.citizen))
    return Text("citizens/refusal_noted")


@router.dialogue("解绑", "解除绑定", "取消绑定", "删除家人", "移除家人", "不让绑定", click="FAMILY_UNBIND")
async def unbind(ask: Ask, families: Families) -> Reply:
    """哪一个 → 确认 → 解绑: of one's own people, or of who may act for oneself."""
    held = partial(lines.held, families, ask.citizen)
    await ask.only("unbind_which", held)
    which = await ask.choice("unbind_which", held)
    await ask.confirm(
        "unbind_confirm", partial(lines.one_held, families, ask.citizen, which), yes=_UNBIND, no=_KEEP
    )
    await ask.once("unbind", partial(families.revoke, which, ask.citizen))
    return Text("citizens/unbound")


@router.on(prompts={("binding_approved", "go_on"): ""})
async def go_on(citizen: CitizenId, families: Families, proving: Proving, prompt: Prompt) -> Reply:
    """1 继续: what waited for the person goes on where it was."""
    bound = await lines.bound(families, citizen, prompt.about)
    kept = await proving.kept(prompt.about, citizen)
    if kept is None:
        return Text("citizens/nothing_kept", it=bound)
    raise GoesOn(kept, {WHOM: bound.id}, Text("citizens/go_on", it=bound))


@router.on(prompts={("binding_approved", "drop"): ""})
async def drop(citizen: CitizenId, proving: Proving, prompt: Prompt) -> Reply:
    """2 不用了: what waited is forgotten; the binding stays."""
    await proving.drop(prompt.about, citizen, prompt.effect)
    return Text("citizens/dropped")
