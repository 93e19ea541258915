"""挂号, 我的预约, 取消预约, 科室: the hospital in chat."""

from functools import partial
from typing import NoReturn

from core.chat.answers import fold
from core.chat.caveats import Caveat, Heard
from core.chat.dialogue import Ask, NothingToChoose
from core.chat.events import Event
from core.chat.moments import Moment, Part, When
from core.chat.names import Named, find
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId, Rest
from services.hospital.errors import ClaimRefused, HoldOpen, UnitTaken
from services.hospital.model import ClinicSession, Doctor, Name, Site, Visit
from services.hospital.patients import somebody_else
from services.hospital.service import Hospital

router = Router("hospital")

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


# How people ask where a hospital is, or for its phone; 医院 or a department may stand before it.
_WHERE = (
    "地址", "的地址", "地址在哪", "在哪", "在哪儿", "在哪里", "在什么地方", "怎么走", "怎么去",
    "电话", "的电话", "电话多少", "电话是多少", "电话号码", "的电话号码",
    "几楼", "在几楼", "在几层", "在哪层", "在哪一层",
)  # fmt: skip

# How people ask what they would read at a hospital's door; a hospital may stand before it.
_OPENING = (
    "几点上班", "几点开门", "几点下班", "几点关门", "几点开始看病", "什么时候上班", "什么时候开门",
    "上班时间", "门诊时间", "开门时间", "周末上班", "周末开门", "周六上班", "周日上班", "星期六上班",
    "星期天上班", "星期天开门", "礼拜天上班", "节假日上班",
)  # fmt: skip
_COLLECTING = (
    "取号", "怎么取号", "在哪取号", "在哪里取号", "去哪取号", "去哪里取号", "到哪取号", "几点取号",
    "什么时候取号", "怎么拿号", "去哪拿号", "怎么报到", "在哪报到", "提前多久到", "提前多久去",
    "约好了怎么办", "约好以后怎么办",
)  # fmt: skip
_BRING = (
    "要带什么", "带什么", "带什么证件", "带什么东西", "需要带什么", "需要带身份证", "带身份证",
    "用带身份证", "要不要带身份证", "没带身份证", "不带身份证", "要身份证", "带社保卡", "带医保卡",
    "带病历", "要准备什么",
)  # fmt: skip
_INSURANCE = (
    "用医保", "能用医保", "能不能用医保", "可以用医保", "可不可以用医保", "用医保卡", "能用医保卡",
    "可以用医保卡", "能刷医保", "刷医保卡", "能刷医保卡", "走医保", "能走医保", "医保能用", "医保可以用",
    "医保卡能用", "用社保卡", "能用社保卡", "可以用社保卡", "能报销", "可以报销", "异地医保能用",
    "外地医保能用",
)  # fmt: skip

# What leads back from a later question of 挂号: the nearest of these that is answered is asked again.
ANOTHER = {
    **dict.fromkeys(_NOT_THIS, ("department", "doctor", "session", "period")),
    **dict.fromkeys(("换个时间", "换时间", "改时间", "改个时间", "换一个时间"), ("session", "period")),
    **dict.fromkeys(("换一天", "换个日子", "换个日期", "改天"), ("session",)),
    **dict.fromkeys(("换个医生", "换医生", "换一个医生", "换个大夫", "换大夫"), ("doctor",)),
    **dict.fromkeys(("换个科室", "换科室", "换个科", "换一个科室"), ("department",)),
}


def _for_somebody_else(folded: str) -> Heard | None:
    found = somebody_else(folded)
    return Heard(*found) if found is not None else None


def _is_proper(named: Named) -> bool:
    """Tell a doctor or a hospital from what people suffer from: 孩子发烧 does name the patient."""
    return isinstance(named.it, Name) and bool(named.it.doctor or not named.it.department)


# Until a citizen has family here, nobody is booked in another's place.
_ONESELF = Caveat(
    "oneself",
    _for_somebody_else,
    yes=(
        "自己",
        "我自己",
        "本人",
        "我本人",
        "给自己挂",
        "自己挂",
        "自己看",
        "我自己看",
        "我看",
        "是我",
        "是我自己",
    ),
    hides=_is_proper,
)


def _asked(title: str, questions: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a question people also put behind what they ask about; the title is offered for it."""
    return tuple(dict.fromkeys((title, *questions, *(f"{{which}}{question}" for question in questions))))


async def names(hospital: Hospital) -> list[Named]:
    """What can be booked by its name: a department, or a doctor of it; a hospital's name settles nothing."""
    return [Named(name.aliases, _settles(name), name) for name in await hospital.names()]


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
    click="HOSPITAL_BOOK",
    named=names,
    returns=ANOTHER,
    caveat=_ONESELF,
)
async def book(ask: Ask, hospital: Hospital) -> Reply:
    """科室 → 医生 → 日期 → 时段 → 确认; the patient is the citizen."""
    await ask.notice("no_such_doctor", hospital.unknown_doctor)
    department = await ask.choice("department", partial(hospital.departments, ask.citizen))
    doctor = await ask.choice("doctor", partial(hospital.doctors, department, ask.citizen), opens=half_days)
    before = "doctor"
    try:
        session = await ask.choice(
            "session",
            partial(hospital.sessions, doctor, ask.citizen),
            when=half_day,
            full=partial(hospital.full_sessions, doctor),
            elsewhere=partial(colleagues, hospital, department, doctor),
        )
        before = "session"
        period = await ask.choice(
            "period",
            partial(hospital.periods_or_others, session, ask.citizen),
            when=start,
            full=partial(hospital.full_periods, session),
        )
    except NothingToChoose:
        ask.again("doctor", because=await hospital.nothing_left(doctor))
    except ClaimRefused as refused:
        elsewhere(ask, before, refused)
    await ask.confirm("confirm", partial(hospital.quote, period, ask.citizen), yes=_TAKE_IT)
    try:
        booking = await ask.once(
            "hold",
            partial(hospital.hold, period, ask.citizen),
            show=partial(hospital.booking, citizen=ask.citizen),
        )
    except UnitTaken as taken:
        ask.again("period", because=taken)
    except ClaimRefused as refused:
        elsewhere(ask, "session", refused)
    return Text("hospital/booked", it=await hospital.booking(booking, ask.citizen))


@router.on(
    "我的预约", "预约查询", "查预约", "我的挂号", "我约的号", "查询预约", "我约了几点", "我约的几点",
    "我约了哪天", "我约的哪天", "我约的是哪天", click="HOSPITAL_MINE",
)  # fmt: skip
async def mine(citizen: CitizenId, hospital: Hospital, rest: Rest) -> Reply:
    """我的预约, a page at a time: 我的预约 2."""
    bookings = await hospital.bookings(citizen)
    page = _page(rest, len(bookings), _BOOKINGS_A_PAGE)
    shown = bookings[page * _BOOKINGS_A_PAGE : (page + 1) * _BOOKINGS_A_PAGE]
    left = len(bookings) - page * _BOOKINGS_A_PAGE - len(shown)
    return Text("hospital/mine", bookings=shown, count=len(bookings), left=left, next=page + 2)


@router.on("科室", "有哪些科室", "科室列表", "看科室", "科室介绍", click="HOSPITAL_DEPARTMENTS")
async def departments(hospital: Hospital, rest: Rest) -> Reply:
    """科室: what there is, a page at a time."""
    everything = await hospital.departments()
    page = _page(rest, len(everything), _DEPARTMENTS_A_PAGE)
    shown = everything[page * _DEPARTMENTS_A_PAGE : (page + 1) * _DEPARTMENTS_A_PAGE]
    left = len(everything) - page * _DEPARTMENTS_A_PAGE - len(shown)
    return Text("hospital/departments", departments=shown, left=left, next=page + 2)


@router.on(
    *(f"医院{where}" for where in _WHERE),
    *_WHERE,
    *(f"{{which}}{what}{where}" for what in ("医院", "科") for where in _WHERE),
)
async def where(event: Event, hospital: Hospital) -> Reply:
    """医院地址, 医院电话, 心内科在哪儿: the hospitals as places, or those that are named."""
    return Text("hospital/where", sites=await _sites(event, hospital))


@router.on(*_asked("门诊时间", _OPENING))
async def opening(event: Event, hospital: Hospital) -> Reply:
    """几点开门: when the hospitals are open."""
    return Text("hospital/opening", sites=await _sites(event, hospital))


@router.on(*_asked("取号", _COLLECTING))
async def collecting(event: Event, hospital: Hospital) -> Reply:
    """怎么取号: what to do on the day of the visit."""
    return Text("hospital/collecting", sites=await _sites(event, hospital))


@router.on(*_asked("看病带什么", _BRING))
async def bring(event: Event, hospital: Hospital) -> Reply:
    """要带什么, 带身份证吗."""
    return Text("hospital/bring", sites=await _sites(event, hospital))


@router.on(*_asked("用医保", _INSURANCE))
async def insurance(event: Event, hospital: Hospital) -> Reply:
    """用医保吗."""
    return Text("hospital/insurance", sites=await _sites(event, hospital))


@router.on(
    "挂号费", "挂号费用", "挂号多少钱", "挂号要多少钱", "挂号要钱吗", "挂号要不要钱", "挂号收费吗", "多少钱",
    "要多少钱", "要钱吗", "要不要钱", "收费吗", "费用", "收费标准", "{which}号多少钱", "{which}号要多少钱",
    "{which}挂号费", "{which}挂号费多少", "{which}挂号费多少钱",
)  # fmt: skip
async def fees(hospital: Hospital) -> Reply:
    """挂号费多少钱: what the visits to come cost; the fee of each stands in its confirmation."""
    return Text("hospital/fees", it=await hospital.fees())


@router.dialogue(
    "取消预约", "退号", "取消挂号", "不去了", "不想去了", "去不了", "去不了了", "取消{which}的号",
    "取消{which}的预约", "退{which}的号", "把{which}的号退了", "把{which}的号取消", click="HOSPITAL_CANCEL",
)  # fmt: skip
async def cancel(ask: Ask, hospital: Hospital) -> Reply:
    """哪一个 → 确认 → 取消."""
    cancellable = partial(hospital.cancellable, ask.citizen)
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


@router.on("取消", "取消掉", "都取消", "全部取消", "取消办理", "退出", idle=True)
async def nothing_to_stop(citizen: CitizenId, hospital: Hospital) -> Reply:
    """取消 where nothing is under way: what else it may mean."""
    return Text("hospital/nothing_to_stop", bookings=await hospital.cancellable(citizen))


async def _sites(event: Event, hospital: Hospital) -> list[Site]:
    """The hospitals that are asked about: those named, those of a department that is named, or all."""
    found = find(fold(event.text), await names(hospital))
    sites = await hospital.sites(found.settles.get("department", "") if found else "")
    named = [site for site in sites if any(alias in event.text for alias in site.aliases)]
    return named or sites


def _settles(name: Name) -> dict[str, str]:
    """The questions of 挂号 that a name answers."""
    answers = {"department": name.department, "doctor": name.doctor}
    return {question: answer for question, answer in answers.items() if answer}


def elsewhere(ask: Ask, question: str, refused: ClaimRefused) -> NoReturn:
    """Ask an earlier question again, unless no other half-day helps."""
    if isinstance(refused, HoldOpen):
        raise refused
    ask.again(question, because=refused)


async def colleagues(hospital: Hospital, department: str, doctor: str, moment: Moment) -> list[str]:
    """The other doctors of a department who have a number then."""
    others = [each for each in await hospital.doctors(department) if each.id != doctor]
    return [each.name for each in others if any(moment.fits(when) for when in half_days(each))]


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
