"""How a citizen proves a request: the person agrees, an institution knows them, or a counter looks."""

from collections.abc import Awaitable, Callable
from functools import partial

from core.chat.answers import fold
from core.chat.dialogue import Ask
from core.chat.replies import Text
from core.effects import Effect, digest_of
from core.errors import DomainError
from handlers import citizens_lines as lines
from services.citizens.errors import WrongCode
from services.citizens.families import Families
from services.citizens.papers import Papers
from services.citizens.proving import Proving

_AGAIN = ("重发", "重新发", "再发一次", "没收到", "没有收到", "收不到", "再发一遍")
_ANOTHER_WAY = ("换个方式", "换方式", "换一个方式", "别的方式", "其他方式", "别的办法", "换个办法")


class CodeSentAgain(DomainError):  # noqa: N818 - said as a refusal is: the question stays
    """Another code is on its way."""

    code = "code_sent_again"


async def prove(ask: Ask, families: Families, proving: Proving, papers: Papers, binding: str) -> None:
    """Prove a request, or end the dialogue where somebody else has to act first."""
    chosen = await ask.choice("way", partial(lines.ways, proving, binding, ask.citizen))
    kind, _, institution = chosen.partition(":")
    if kind == "code":
        await _by_code(ask, proving, papers, binding, institution)
    elif kind == "roster":
        await ask.once("roster", partial(proving.check_roster, binding, ask.citizen, institution))
    else:
        await _wait(ask, families, proving, binding, kind)


async def _by_code(ask: Ask, proving: Proving, papers: Papers, binding: str, institution: str) -> None:
    """The institution sends a code to the phone it knows, and says whether it is the right one."""
    send = partial(proving.send_code, binding, ask.citizen, institution)
    await ask.once(f"send_{institution}", send)
    check = partial(_code, ask, papers, send)
    sender = partial(lines.institution, proving, binding, ask.citizen, institution)
    code = await ask.text("code", check, sender)
    try:
        await ask.once("proved", partial(proving.check_code, binding, ask.citizen, code))
    except WrongCode as wrong:
        ask.again("code", because=wrong)


async def _code(ask: Ask, papers: Papers, send: Callable[[Effect], Awaitable[str]], said: str) -> str:
    """The digits of a code; 重发 sends another, 换个方式 leads back to the ways."""
    folded = fold(said)
    if folded in _ANOTHER_WAY:
        ask.again("way")
    if folded in _AGAIN:
        await send(Effect(f"{ask.event.id}/citizens.bind", "send_again", digest_of(send)))
        raise CodeSentAgain
    return papers.code(said)


async def _wait(ask: Ask, families: Families, proving: Proving, binding: str, kind: str) -> None:
    """Ask the other side and end; the dialogue that needs the person is kept until they answer."""
    title = ask.awaited_by
    if title:  # before anybody is asked: the answer may come at once
        await proving.keep(binding, ask.citizen, ask.put_away(), title)
    if kind == "person":
        await ask.once("ask_person", partial(proving.ask_person, binding, ask.citizen))
    request = next(each for each in await families.open_requests(ask.citizen) if each.binding == binding)
    ask.end_both(Text(f"citizens/{kind}_waits", it=request, title=title))
