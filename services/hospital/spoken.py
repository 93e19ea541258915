"""How citizens name doctors and hospitals: the aliases of what we offer. Chat itself understands days."""

import re

_CLASSES = {
    "general": ("普通号", "普通门诊", "普通"),
    "expert": ("专家号", "专家门诊", "专家"),
    "special": ("特需号", "特需门诊", "特需"),
}
_CITY = re.compile(r"^\w{2,3}?[市县](?=.{3})")


def doctor_names(surname: str, given_name: str, title: str) -> tuple[str, ...]:
    """陈静: 陈静, 陈医生, 陈大夫, and 陈主任 where the title says so."""
    calls = ["医生", "大夫", *(["主任"] if "主任" in title else [])]
    return (
        surname + given_name,
        *(f"{name}{call}" for name in (surname, surname + given_name) for call in calls),
    )


def class_names(clinic_class: str) -> tuple[str, ...]:
    """号别 as people say it: whoever wants 专家号 means every doctor who has such."""
    return _CLASSES[clinic_class]


def hospital_short(name: str) -> str:
    """云汀市人民医院: 人民医院. In a list of one city its name goes without saying."""
    return _CITY.sub("", name)
