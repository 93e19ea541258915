"""挂号, 我的预约, 取消预约, 科室: the hospital in chat."""

import re
from datetime import date
from functools import partial
from typing import NoReturn

from core.chat.answers import bare
from core.chat.dialogue import Ask, NothingToChoose
from core.chat.moments import Moment, Part, When, named_moment
from core.chat.names import DESPITE, Named, find
from core.chat.prompts import Prompt
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Rest
from handlers import hospital_facts
from handlers.for_whom import beside, for_whom
from handlers.hospital_names import names
from services.citizens.families import Families
from services.hospital.errors import ClaimRefused, HoldOpen, NotAsWished, UnitTaken
from services.hospital.model import ClinicSession, Doctor, Name, Visit, Wish
from services.hospital.service import SCOPE, Hospital
from services.hospital.spoken import BEST

router = Router("hospital").include(hospital_facts.router)

_BOOKINGS_A_PAGE = 2
_DEPARTMENTS_A_PAGE = 30
_PAGE_DIGITS = 4

# What people answer to "要取消这个号吗？"; elsewhere these words stop or open something. 取消 alone is not
# among them: it may as well mean "stop this", so it is asked once more.
_GIVE_BACK = (
    "取消掉", "取消它", "取消这个", "是的取消", "对取消", "确认取消", "确定取消", "取消预约", "取消挂号",
    "不去了", "不去", "不想去了", "去不了", "去不了了", "退号", "退了", "退掉",
)  # fmt: skip
_KEEP = (
    "保留", "不取消", "不取消了", "先不取消", "别取消", "不要取消", "不退", "不退了", "要去", "还去", "留着",
)  # fmt: skip

# What people say to "要约这个号吗？" besides a yes.
_TAKE_IT = (
    "约", "约这个", "约这个号", "约它", "约他", "约她", "就他", "就她", "约上", "预约", "预约这个", "挂",
    "挂这个", "挂这个号", "挂它", "挂他", "挂她", "要这个", "我要这个", "要这个号", "要它", "选这个",
    "定这个", "订这个", "定了", "订了", "定下来", "就定这个",
)  # fmt: skip
_NOT_THIS = (
    "换一个", "换个", "换一个号", "换个号", "换别的", "换", "不要这个", "不要这个号", "不是这个",
    "不是这个号", "不约这个", "不挂这个", "不选这个", "别约这个", "看看别的", "要别的",
)  # fmt: skip


_OTHER_TIMES = (
    "换个时间", "换时间", "改时间", "改个时间", "换一个时间", "别的时间", "其他时间", "有别的时间",
    "还有别的时间", "有其他时间", "还有其他时间", "有没有别的时间", "有没有其他时间", "看看别的时间",
)  # fmt: skip

# What leads back from a later question of 挂号: the nearest of these that is answered is asked again.
ANOTHER = {
    **dict.fromkeys(_NOT_THIS, ("department", "doctor", "session", "period")),
    **dict.fromkeys(_OTHER_TIMES, ("session", "period")),
    **dict.fromkeys(("换一天", "换个日子", "换个日期", "改天"), ("session",)),
    **dict.fromkeys(("换个医生", "换医生", "换一个医生", "换个大夫", "换大夫"), ("doctor",)),
    **dict.fromkeys(("换个科室", "换科室", "换个科", "换一个科室"), ("department",)),
}


# How people ask which department is the right one; what they suffer from may stand before or behind it.
_WHICH = ("什么科", "哪个科", "哪科", "哪一科", "哪一个科", "啥科", "什么科室", "哪个科室", "哪一个科室")
_WHICH_DEPARTMENT = (
    *_WHICH, *(f"{{what}}{which}" for which in _WHICH), *(f"{which}{{what}}" for which in _WHICH),
    "不知道挂什么", "不知道看什么", "不知道挂哪个", "不知道看哪个",
)  # fmt: skip
_ONLY_NAMED = re.compile(r"(?:找|挂|看|约|选|要|就|是|的|号)*")
_UNSURE = re.compile(r"(?:什么|哪一?个?|啥)科|不知道|不清楚|不懂|不晓得|不会选|不会挑|搞不清|弄不清")


def _is_proper(named: Named) -> bool:
    """Tell a doctor or a hospital from what people suffer from: 孩子发烧 does name the patient."""
    return isinstance(named.it, Name) and bool(named.it.doctor or named.it.hospital)


@router.dialogue(
    "挂号",
    "预约挂号",
    "预约",
    "挂",
    "看病",
    "看医生",
    "看大夫",
    "看看医生",
    "看看大夫",
    "找医生",
    "找大夫",
    "找个医生",
    "找个大夫",
    "约号",
    "约个号",
    "约一个号",
    "有号吗",
    "还有号吗",
    "有没有号",
    *_WHICH_DEPARTMENT,
    alone=("", "有号", "还有号", "有没有号", "有号没有", "看", "去看", "看病", "有医生", "有大夫", "有专家"),
    click="HOSPITAL_BOOK",
    named=names,
    returns=ANOTHER,
    beside=beside(_is_proper),
)
async def book(ask: Ask, hospital: Hospital, families: Families) -> Reply:
    """为谁 → 科室 → 医生 → 日期 → 时段 → 确认."""
    patient = await for_whom(ask, families, SCOPE)
    department, doctor = await _doctor(ask, hospital, patient)
    before = "doctor"
    try:
        session = await ask.choice(
            "session",
            partial(hospital.sessions, doctor, patient),
            when=half_day,
            full=partial(hospital.full_sessions, doctor),
            elsewhere=partial(colleagues, hospital, department, doctor, patient),
        )
        before = "session"
        period = await ask.choice(
            "period",
            partial(hospital.periods_or_others, session, patient),
            when=start,
            full=partial(hospital.full_periods, session),
        )
    except NothingToChoose:
        ask.again("doctor", because=await hospital.nothing_left(doctor))
    except ClaimRefused as refused:
        elsewhere(ask, before, refused)
    await ask.confirm("confirm", partial(hospital.quote, period, ask.citizen, patient), yes=_TAKE_IT)
    try:
        booking = await ask.once(
            "hold",
            partial(hospital.hold, period, ask.citizen, person=patient),
            show=partial(hospital.booking, citizen=ask.citizen),
        )
    except UnitTaken as taken:
        ask.again("period", because=taken)
    except ClaimRefused as refused:
        elsewhere(ask, "session", refused)
    return Text("hospital/booked", it=await hospital.booking(booking, ask.citizen))


@router.on(
    "我的预约", "预约查询", "查预约", "我的挂号", "我约的号", "查询预约", "我约了几点", "我约的几点",
    "我约了哪天", "我约的哪天", "我约的是哪天", "我的号", "我的号呢", "我挂的号", "我挂的号呢", "我约的号呢",
    "我什么时候去", "我几点去", "什么时候去", "几点去", "我哪天去", "哪天去", "什么时候去看", "我几号去",
    "约好了吗", "我约好了吗", "约上了吗", "我约上了吗", "约到了吗", "挂上了吗", "我挂上了吗", "挂好了吗",
    "我挂好了吗", "预约成功了吗", "约成功了吗", "我挂号了吗", "我挂号了没有", "挂号了没有", "我挂号了没",
    "我挂了号没有", "我预约了没有", "我约了没有", "挂过号了", "我挂过号了", "已经挂号了", "我已经挂号了",
    "已经挂过号了", "我已经挂过号了", "约过了", "我约过了", "我已经约了", "已经约好了", click="HOSPITAL_MINE",
)  # fmt: skip
async def mine(citizen: CitizenId, hospital: Hospital, rest: Rest) -> Reply:
    """我的预约, a page at a time: 我的预约 2."""
    bookings = await hospital.bookings(citizen)
    page = _page(rest, len(bookings), _BOOKINGS_A_PAGE)
    shown = bookings[page * _BOOKINGS_A_PAGE : (page + 1) * _BOOKINGS_A_PAGE]
    left = len(bookings) - page * _BOOKINGS_A_PAGE - len(shown)
    return Text("hospital/mine", bookings=shown, count=len(bookings), left=left, next=page + 2)


@router.on(
    "科室", "有哪些科室", "科室列表", "看科室", "科室介绍", "有什么科", "有什么科室", "有哪些科",
    "都有什么科", "都有哪些科", "你们有什么科", "你们有哪些科", "你们有什么科室", "你们有哪些科室",
    click="HOSPITAL_DEPARTMENTS",
)  # fmt: skip
async def departments(hospital: Hospital, rest: Rest) -> Reply:
    """科室: what there is, a page at a time."""
    everything = await hospital.departments()
    page = _page(rest, len(everything), _DEPARTMENTS_A_PAGE)
    shown = everything[page * _DEPARTMENTS_A_PAGE : (page + 1) * _DEPARTMENTS_A_PAGE]
    left = len(everything) - page * _DEPARTMENTS_A_PAGE - len(shown)
    return Text("hospital/departments", departments=shown, left=left, next=page + 2)


@router.dialogue(
    "取消预约", "退号", "取消挂号", "不去了", "不想去了", "去不了", "去不了了", "取消{which}的号",
    "取消{which}的预约", "退{which}的号", "把{which}的号退了", "把{which}的号取消", click="HOSPITAL_CANCEL",
    prompts={("booking_reminder", "cancel"): "cancel_which"},
)  # fmt: skip
async def cancel(ask: Ask, hospital: Hospital) -> Reply:
    """哪一个 → 确认 → 取消."""
    cancellable = partial(hospital.cancellable, ask.citizen)
    await ask.takes_back(cancellable)
    await ask.only("cancel_which", cancellable)
    booking = await ask.choice("cancel_which", cancellable, when=start)
    await ask.confirm(
        "cancel_confirm", partial(hospital.booking, booking, ask.citizen), yes=_GIVE_BACK, no=_KEEP
    )
    cancelled = await ask.once(
        "cancel",
        partial(hospital.cancel, booking, ask.citizen),
        show=partial(hospital.booking, citizen=ask.citizen),
    )
    return Text("hospital/cancelled", it=await hospital.booking(cancelled, ask.citizen))


@router.on(prompts={("booking_reminder", "come"): ""})
async def coming(citizen: CitizenId, hospital: Hospital, prompt: Prompt) -> Reply:
    """会到, answered to a reminder: it was read, and the visit stays as it is."""
    return Text("hospital/coming", it=await hospital.booking(prompt.about, citizen))


@router.on("取消", "取消掉", "都取消", "全部取消", "取消办理", "退出", idle=True)
async def nothing_to_stop(citizen: CitizenId, hospital: Hospital) -> Reply:
    """取消 where nothing is under way: what else it may mean."""
    return Text("hospital/nothing_to_stop", bookings=await hospital.cancellable(citizen))


async def _wish(ask: Ask, hospital: Hospital) -> Wish:
    """What the words narrow the lists to, said back, and what they name that is not here."""
    if await ask.notice("too_far", partial(_too_far, hospital, ask.today), whole=True):
        ask.dismiss()
    await ask.wish("stranger", _itself)
    await ask.wish(DESPITE, hospital.called)
    ask.forget("stranger", DESPITE)
    if guess := await ask.wish("guess"):
        await ask.confirm("guess", partial(hospital.called, guess))
        meant = await hospital.called(guess)
        ask.forget("guess")
        ask.settle(department=meant.department, doctor=meant.doctor)
    ask.widen("department", "among")
    ask.widen("doctor", "hospital", "clinic_class")
    wish = Wish(
        hospital=await ask.wish("hospital", hospital.site, narrows="doctor"),
        clinic_class=await ask.wish("clinic_class", _itself, narrows="doctor"),
        among=await ask.wish("among", hospital.near, narrows="department"),
    )
    if await ask.notice("unsure", _unsure, before="department", whole=True):
        ask.dismiss()
    return wish


async def _doctor(ask: Ask, hospital: Hospital, patient: str) -> tuple[str, str]:
    """Which department, which doctor; a wish that nobody there fits is given up, and that is said."""
    wish = await _wish(ask, hospital)
    try:
        department = await ask.choice("department", partial(hospital.departments, patient, wish))
        ask.forget("among")
        await ask.notice("best", _the_best, before="doctor")
        doctors = partial(hospital.doctors, department, patient, wish)
        if wish.clinic_class:
            await ask.only("doctor", doctors)
        doctor = await ask.choice("doctor", doctors, opens=half_days)
    except NotAsWished as lacking:
        ask.forget(lacking.wish)
        ask.again("doctor", because=lacking)
    await ask.notice("already", partial(_already, hospital, department, doctor))
    return department, doctor


async def _itself(said: str) -> str:
    return said


async def _unsure(words: str) -> str:
    """Words that ask which department is the right one."""
    return words if _UNSURE.search(words) else ""


async def _the_best(words: str) -> str:
    """A superlative: nobody here says who is the best."""
    return next((best for best in BEST if best in words), "")


async def _already(hospital: Hospital, department: str, doctor: str, words: str) -> object:
    """The name of what is chosen already, where words say nothing else."""
    found = find(words, await names(hospital, words))
    chosen = {"department": department, "doctor": doctor}
    same = found is not None and found.settles and found.settles.items() <= chosen.items()
    return found.it if found is not None and same and _ONLY_NAMED.fullmatch(bare(found.rest)) else None


async def _too_far(hospital: Hospital, today: date, words: str) -> date | None:
    """The last day that can be booked, where words name one behind it."""
    moment = named_moment(words, today)
    if moment is None or moment.unclear or moment.day is None:
        return None
    last = hospital.last_day()
    return last if moment.day > last else None


def elsewhere(ask: Ask, question: str, refused: ClaimRefused) -> NoReturn:
    """Ask an earlier question again, unless no other half-day helps."""
    if isinstance(refused, HoldOpen):
        raise refused
    ask.again(question, because=refused)


async def colleagues(
    hospital: Hospital, department: str, doctor: str, patient: str, moment: Moment, moving: str | None = None
) -> list[str]:
    """The other doctors of a department who have a number then that this patient may have.

    `moving` is the booking they would have it in place of.
    """
    found = await hospital.doctors(department, patient, moving=moving)
    others = [each for each in found if each.id != doctor]
    return [
        each.name
        for each in others
        if any(moment.fits(When(day, Part(half))) for day, half in each.open_halves)
    ]


def half_days(doctor: Doctor) -> list[When]:
    return [When(day, Part(half)) for day, half in doctor.halves]


def half_day(session: ClinicSession) -> When:
    return When(session.date, Part(session.half))


def start(visit: Visit) -> When:
    return When(visit.starts_at.date(), Part(visit.half), visit.starts_at.time())


def _page(rest: str, items: int, size: int) -> int:
    """The page (from 0) that `rest` names; the first where it names none there is."""
    wanted = int(rest) - 1 if rest.isdecimal() and len(rest) <= _PAGE_DIGITS else 0
    return wanted if 0 <= wanted * size < items else 0
