"""谁看过我, 查看提醒: who read what is a citizen's own, and how they are told of it."""

from dataclasses import dataclass
from functools import partial

from core.chat.dialogue import Ask
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Notes
from services.citizens.accesses import DAILY, EACH, Accesses, NoSuchMode

router = Router("citizens")

_BEFORE = "looks_before"  # in the session's notes: where 更早的 goes on


@router.on(
    "谁看过我", "谁看过我的信息", "谁看了我的报告", "谁看了我的病历", "谁看过我的报告", "谁看过我的病历",
    "查看记录", click="DATA_LOOKS",
)  # fmt: skip
async def looks(citizen: CitizenId, accesses: Accesses, notes: Notes) -> Reply:
    """谁看过我: the latest readings."""
    return await _page(citizen, accesses, notes, None)


@router.on("更早的", "更早", "再往前", "往前看")
async def earlier(citizen: CitizenId, accesses: Accesses, notes: Notes) -> Reply:
    """更早的: the readings before those shown last."""
    before = notes.get(_BEFORE, "")
    return await _page(citizen, accesses, notes, int(before) if before else None)


@router.dialogue("查看提醒", "怎么告诉我", "设置查看提醒", "查看通知")
async def mode(ask: Ask, accesses: Accesses) -> Reply:
    """每天 or 每次."""
    chosen = await ask.choice("looks_mode", partial(_modes, accesses, ask.citizen))
    await ask.once("mode", partial(accesses.choose, ask.citizen, chosen))
    return Text("citizens/looks_mode_set", mode=chosen)


@router.on("关掉查看提醒", "关闭查看提醒", "不要查看提醒", "取消查看提醒", "别告诉我谁看过")
async def never() -> Reply:
    """关掉查看提醒: it protects them, and cannot be turned off (B6)."""
    raise NoSuchMode


@dataclass(frozen=True, slots=True)
class _Mode:
    """One way to be told; `now` is the one that holds."""

    id: str
    now: str
    aliases: tuple[str, ...]


async def _modes(accesses: Accesses, citizen: str) -> list[_Mode]:
    now = await accesses.mode(citizen)
    return [
        _Mode(DAILY, now, ("每天", "每天一次", "汇总", "一天一次")),
        _Mode(EACH, now, ("每次", "每次都说", "每次告诉我", "马上")),
    ]


async def _page(citizen: str, accesses: Accesses, notes: Notes, before: int | None) -> Reply:
    page = await accesses.of(citizen, before)
    notes[_BEFORE] = str(page.before or "")
    return Text("citizens/looks", looks=page.lines, more=page.before is not None, later=before is not None)
