"""What people ask of the hospitals besides a number: where, when, with what, for how much."""

import re

from core.chat.answers import fold
from core.chat.events import Event
from core.chat.names import find
from core.chat.replies import Reply, Text
from core.chat.router import Router
from core.chat.routes import CitizenId
from handlers.hospital_names import names
from services.hospital.model import Site
from services.hospital.service import Hospital

router = Router("hospital")

# How people ask where a hospital is, or for its phone; 医院 or a department may stand before it.
_PLACE = (
    "在哪", "在哪儿", "在哪里", "在什么地方", "怎么走", "怎么去", "几楼", "在几楼", "在几层", "在哪层",
    "在哪一层",
)  # fmt: skip
_WHERE = (
    "地址", "的地址", "地址在哪", "电话", "的电话", "电话多少", "电话是多少", "电话号码", "的电话号码",
    *_PLACE,
)  # fmt: skip
# Without a name they are asked about one's own visit.
_MY_PLACE = (
    *_PLACE,
    "去哪",
    "去哪里",
    "去哪儿",
    "去几楼",
    "到几楼",
    "那在几楼",
    "几层",
    "在哪个楼",
    "在哪栋楼",
)

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
    "外地医保能用", "异地医保", "外地医保", "外地的医保", "医保是外地的", "外省医保", "跨省医保",
)  # fmt: skip
_FROM_AFAR = re.compile(r"异地|外地|外省|外市|省外|跨省|老家|别的城市")

# 发热门诊 takes no bookings; who asks for it must not end at 呼吸内科 because of the 发热 in it.
_FEVER = tuple(
    f"{verb}{which}门诊" for verb in ("", "挂", "看", "去", "预约", "有") for which in ("发热", "发烧")
)


def _asked(title: str, questions: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a question people also put behind what they ask about; the title is offered for it."""
    return tuple(dict.fromkeys((title, *questions, *(f"{{which}}{question}" for question in questions))))


@router.on(
    *(f"医院{where}" for where in _WHERE),
    *(where for where in _WHERE if where not in _PLACE),
    *(f"{{which}}{what}{where}" for what in ("医院", "科") for where in _WHERE),
)
async def where(event: Event, hospital: Hospital) -> Reply:
    """医院地址, 医院电话, 心内科在哪儿: the hospitals as places, or those that are named."""
    return Text("hospital/where", sites=await _sites(event, hospital))


@router.on(*_MY_PLACE)
async def my_place(event: Event, citizen: CitizenId, hospital: Hospital) -> Reply:
    """在几楼: the place of the booking that was made last; without one, the hospitals."""
    bookings = await hospital.bookings(citizen)
    if not bookings:
        return Text("hospital/where", sites=await _sites(event, hospital))
    latest = max(bookings, key=lambda booking: booking.made_at)
    return Text("hospital/where_booked", it=latest, others=len(bookings) - 1)


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
    """用医保吗; what holds for the city's own insurance is not promised to one from elsewhere."""
    if _FROM_AFAR.search(event.text):
        return Text("hospital/insurance_from_afar", sites=await _sites(event, hospital))
    return Text("hospital/insurance", sites=await _sites(event, hospital))


@router.on(
    "挂号费", "挂号费用", "挂号多少钱", "挂号要多少钱", "挂号要钱吗", "挂号要不要钱", "挂号收费吗", "多少钱",
    "要多少钱", "要钱吗", "要不要钱", "收费吗", "费用", "收费标准", "{which}号多少钱", "{which}号要多少钱",
    "{which}挂号费", "{which}挂号费多少", "{which}挂号费多少钱", "检查费", "{which}检查费", "检查要多少钱",
    "检查多少钱", "药费", "{which}药费", "化验费", "{which}化验费",
)  # fmt: skip
async def fees(hospital: Hospital) -> Reply:
    """挂号费多少钱: what the visits to come cost; the fee of each stands in its confirmation."""
    return Text("hospital/fees", it=await hospital.fees())


@router.on(*_FEVER, "{which}发热门诊", "{which}发烧门诊")
async def fever(event: Event, hospital: Hospital) -> Reply:
    """发热门诊: it is not booked here, and the hospitals say where it is."""
    sites = await hospital.sites()
    return Text("hospital/fever", sites=_named(event, sites))


async def _sites(event: Event, hospital: Hospital) -> list[Site]:
    """The hospitals that are asked about: those named, those of a department that is named, or all."""
    folded = fold(event.text)
    found = find(folded, await names(hospital, folded))
    sites = await hospital.sites(found.settles.get("department", "") if found else "")
    return _named(event, sites)


def _named(event: Event, sites: list[Site]) -> list[Site]:
    """Those that a message names, or all."""
    return [site for site in sites if any(alias in event.text for alias in site.aliases)] or sites
