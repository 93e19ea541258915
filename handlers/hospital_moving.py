"""改期: a booking gets another day, time or doctor of its department; until then it stays as it is."""

from dataclasses import dataclass
from functools import partial

from core.chat.dialogue import Ask, NothingToChoose
from core.chat.lists import PAGE
from core.chat.moments import When
from core.chat.names import Named, WhileOpen
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import Rest
from handlers.hospital import ANOTHER, colleagues, elsewhere, half_day, half_days, start
from services.hospital.errors import ClaimRefused, HoldOpen, NobodyElse, UnitTaken
from services.hospital.model import Booking, ClinicSession, Doctor, Name
from services.hospital.service import Hospital

router = Router("hospital")

_ANOTHER_DOCTOR, _KEEP = "another", "keep"

# How people ask for it; 能, 可不可以 may stand before.
_MOVE = (
    "改期", "改约", "改签", "改预约", "修改预约", "更改预约", "改号", "改时间", "改个时间", "改一下时间",
    "改下时间", "换个时间", "换时间", "换一个时间", "换一天", "换个日子", "换个日期", "改日期", "改日子",
    "调时间", "调整时间", "推迟", "延期", "预约改期", "挂号改期", "预约改时间",
)  # fmt: skip
_MAY = ("", "能", "可以", "能不能", "可不可以")

# Where to, whole: 改到明天下午, 把周三的号改到周五. 改 alone says nothing about which of two days is meant.
_TO = (
    "改到", "改成", "改为", "改期到", "改约到", "改签到", "改在", "换到", "换成", "挪到", "推迟到", "延期到",
    "延到", "推到", "提前到", "提到", "调到",
)  # fmt: skip
_WHOSE = ("", "把{which}", "{which}的号", "把{which}的号", "号", "把号", "时间", "把时间", "预约", "把预约")
_WHICH = ("改{which}的号", "改{which}的预约", "把{which}的号改一下", "把{which}的号换一下", "改期{which}的号")

# What people say to "要改成这个号吗？" besides a yes.
_MOVE_IT = (
    "改", "改这个", "改成这个", "改到这个", "就改这个", "改到这里", "改过去", "换", "换这个", "换成这个",
    "换过去", "改期", "要改", "改成这个号", "换成这个号", "就改到这个时间",
)  # fmt: skip

# Further words for the lines below the days.
_OTHERS = (
    "换个医生", "换医生", "换一个医生", "换个大夫", "换大夫", "别的医生", "其他医生", "看看别的医生",
)  # fmt: skip
_AS_IT_WAS = ("保留原来的号", "保留", "还是原来的", "就原来的", "原来的", "不动了")


async def _names(hospital: Hospital) -> list[Named]:
    """Whom a booking that is being moved can be moved to by name: a doctor, or a department's doctors."""
    return [Named(name.aliases, _settles(name), name) for name in await hospital.names()]


def _settles(name: Name) -> dict[str, str]:
    if name.doctor:
        return {"move_day": _ANOTHER_DOCTOR, "doctor": name.doctor}
    return {"move_day": _ANOTHER_DOCTOR, "department": name.department} if name.department else {}


@dataclass(frozen=True, slots=True)
class Way:
    """A line below the days: what else can be done with the booking `old`."""

    id: str
    aliases: tuple[str, ...]
    old: Booking


def _ways(old: Booking) -> tuple[Way, Way]:
    return Way(_ANOTHER_DOCTOR, _OTHERS, old), Way(_KEEP, _AS_IT_WAS, old)


@router.dialogue(
    *(may + word for may in _MAY for word in _MOVE),
    *_WHICH,
    click="HOSPITAL_MOVE",
    alone=[whose + to + "{day}" for to in _TO for whose in _WHOSE],
    returns={word: ("move_day", *keys) for word, keys in ANOTHER.items()},
    named=WhileOpen(_names),
    prompts={("booking_reminder", "move"): "move_which"},
)
async def move(ask: Ask, hospital: Hospital, which: str, day: str, rest: Rest) -> Reply:
    """哪一个 → 哪天, or 换个医生 → 时段 → 确认 → 改; whoever brings the booking begins with the day."""
    movable = partial(hospital.movable, ask.citizen)
    ask.offer("move_which", which)
    ask.offer("move_day", day or rest)
    await ask.only("move_which", movable)
    booking = await ask.choice("move_which", movable, when=start)
    old = await hospital.booking(booking, ask.citizen)
    doctor, session, before = old.doctor_id, await _day(ask, hospital, old), "move_day"
    if session == _KEEP:
        return Text("hospital/move_stopped")
    if session == _ANOTHER_DOCTOR:
        doctor, session = await _day_of_another(ask, hospital, old)
        before = "doctor"
    try:
        period = await ask.choice(
            "period",
            partial(hospital.periods_or_others, session, old.person, booking),
            when=start,
            full=partial(hospital.full_periods, session),
        )
    except NothingToChoose:
        ask.again(before, because=await hospital.nothing_left(doctor))
    except ClaimRefused as refused:
        elsewhere(ask, before, refused)
    await ask.confirm("move_confirm", partial(hospital.exchange, booking, period, ask.citizen), yes=_MOVE_IT)
    try:
        moved = await ask.once(
            "move",
            partial(hospital.move, booking, period, ask.citizen),
            show=partial(hospital.booking, citizen=ask.citizen),
        )
    except UnitTaken as taken:
        ask.again("period", because=taken)
    except ClaimRefused as refused:
        elsewhere(ask, before, refused)
    return Text("hospital/moved", it=await hospital.booking(moved, ask.citizen))


async def _day(ask: Ask, hospital: Hospital, old: Booking) -> str:
    """Ask for another half-day of the same doctor, or for another way."""
    return await ask.choice(
        "move_day",
        partial(_days, hospital, old, ask.citizen),
        when=_when,
        full=partial(hospital.full_sessions, old.doctor_id),
        elsewhere=partial(colleagues, hospital, old.specialty, old.doctor_id, old.person, moving=old.id),
    )


async def _day_of_another(ask: Ask, hospital: Hospital, old: Booking) -> tuple[str, str]:
    """Ask for another doctor of the department, and for a half-day of theirs."""
    department = old.specialty
    if ask.knows("department"):  # one was named
        department = await ask.choice("department", partial(hospital.departments, old.person))
    try:
        doctor = await ask.choice("doctor", partial(_others, hospital, old, department), opens=half_days)
    except NothingToChoose:
        ask.again("move_day", because=NobodyElse())
    try:
        return doctor, await ask.choice(
            "session",
            partial(hospital.sessions, doctor, old.person, old.id),
            when=half_day,
            full=partial(hospital.full_sessions, doctor),
        )
    except NothingToChoose:
        ask.again("doctor", because=await hospital.nothing_left(doctor))
    except ClaimRefused as refused:
        elsewhere(ask, "doctor", refused)


async def _days(hospital: Hospital, old: Booking, citizen: str) -> list[ClinicSession | Way]:
    """The doctor's half-days and what else there is; what stands against moving at all is raised."""
    await hospital.to_move(old.id, citizen)
    try:
        sessions = await hospital.sessions(old.doctor_id, old.person, old.id)
    except HoldOpen:
        raise
    except ClaimRefused:
        sessions = []
    another, keep = _ways(old)
    ways = [another] if await _others(hospital, old, old.specialty) else []
    if not sessions and ways:
        ways.append(keep)
    return [*sessions[: PAGE - 1], *ways, *sessions[PAGE - 1 :]]  # all ways stand on the first page


async def _others(hospital: Hospital, old: Booking, department: str) -> list[Doctor]:
    """The other doctors of a department who have a number."""
    found = await hospital.doctors(department, old.person, moving=old.id)
    return [doctor for doctor in found if doctor.left and doctor.id != old.doctor_id]


def _when(line: ClinicSession | Way) -> When | None:
    return half_day(line) if isinstance(line, ClinicSession) else None
