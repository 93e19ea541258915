"""How citizens name doctors and hospitals: the aliases of what we offer. Chat itself understands days."""

import re

_SURNAMES = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤"
    "花方俞任袁柳鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵汪祁毛禹狄米贝"
    "明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯"
    "管卢莫房解应宗丁宣邓洪包左石崔吉龚程邢裴陆翁甄曲封储靳段焦山谷车侯全班秋仲伊宫宁仇栾甘厉戎武符刘景詹束龙叶幸"
    "司黎白怀蒲从鄂索赖卓蔺屠蒙池乔闻党翟谭劳姬申冉桑桂牛边温庄晏柴瞿阎连习艾容向古易廖耿匡文寇广欧沃利越师巩聂晁"
    "冷辛饶曾沙丰关查游竺盖肖涂代覃"
)
_CALLED = re.compile(
    r"(?:^|[挂找约看请要是的个有叫位,，、。])"
    rf"(?P<name>(?:欧阳|司马|上官|诸葛|东方|皇甫|尉迟|公孙|令狐|慕容|[{_SURNAMES}])[^\W\d_a-z的个位是好不能找看有哪号科]{{0,2}}?)"
    "(?P<call>医生|大夫|主任|教授|医师)"
)
_LONGEST = 80  # characters; who names a doctor says little else
_NO_NAMES = frozenset(
    ("安排", "方便", "高级", "白天", "全科", "何时", "时候", "成熟", "任何", "平时", "常用", "关于")
)
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


def doctor_called(folded: str) -> tuple[str, str] | None:
    """The doctor a message speaks of, known or not: 王大明, 王大明医生."""
    found = _CALLED.search(folded.replace(" ", "")[:_LONGEST])
    if found is None or found["name"] in _NO_NAMES:
        return None
    return found["name"], found["name"] + found["call"]


def class_names(clinic_class: str) -> tuple[str, ...]:
    """号别 as people say it: whoever wants 专家号 means every doctor who has such."""
    return _CLASSES[clinic_class]


def hospital_short(name: str) -> str:
    """云汀市人民医院: 人民医院. In a list of one city its name goes without saying."""
    return _CITY.sub("", name)
