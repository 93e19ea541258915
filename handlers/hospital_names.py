"""What a message names of the hospital, and the questions and wishes of 挂号 that it settles."""

import re

from core.chat.names import Named
from services.hospital.model import Name
from services.hospital.service import Hospital

# Among such words the bare name of a hospital, 专家号 or a stranger is a wish for a number;
# 人民医院停车收费吗 is none.
_WANTED = re.compile(
    r"(?!.*(?:怎么|哪|停车|食堂|住院|几点|电话|地址|收费|多少|钱))"
    r"(?:.*(?:看|挂|约|号|医生|大夫|主任|找|去|到|科|病|预约).*"
    r"|(?:请问|你们|这里|这儿|有没有|没有|有|吗|呢|吧|了|的|我们?|想|要|就|那|最好|还是|在|都|可以|能|行|好|帮|给|个|一"
    r"|今|明|后|大|周|星期|礼拜|天|上|下|午|早|晚|日|月|[二三四五六七八九十\d,，、\s])*)"
)
_ANY_HOSPITAL = (
    "换个医院",
    "换一个医院",
    "换家医院",
    "别的医院",
    "其他医院",
    "另一个医院",
    "所有医院",
    "哪个医院都行",
)
_ANY_DEPARTMENT = ("别的科", "别的科室", "其他科", "其他科室", "所有科室", "全部科室")
_ANY_CLASS = ("所有医生", "所有的医生", "什么号都行", "哪种号都行")


async def names(hospital: Hospital, said: str) -> list[Named]:
    """What can be booked by its name, what its name narrows, and what people call as if it were here."""
    return [
        *(_named(name) for name in await hospital.names(said)),
        Named(_ANY_HOSPITAL, {"hospital": ""}),
        Named(_ANY_DEPARTMENT, {"among": ""}),
        Named(_ANY_CLASS, {"clinic_class": ""}),
    ]


def _named(name: Name) -> Named:
    if name.doctor:
        settles = {"department": name.department, "doctor": name.doctor}
        return Named(name.aliases, settles, name, besides={"hospital": name.hospital})
    answers = {
        "department": name.department,
        "hospital": name.hospital,
        "clinic_class": name.clinic_class,
        "among": name.among,
        "stranger": name.stranger,
        "guess": name.guess,
    }
    settles = {question: answer for question, answer in answers.items() if answer}
    narrows = not (name.department or name.guess)
    return Named(name.aliases, settles, name, among=_WANTED if narrows else None)
