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
_COMPOUND = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "令狐", "慕容")
_CALLED = re.compile(
    r"(?:^|[挂找约看请要是的个有叫位,，、。])"
    rf"(?P<name>(?:{'|'.join(_COMPOUND)}|[{_SURNAMES}])[^\W\d_a-z的个位是好不能找看有哪号科]{{0,2}}?)"
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
BEST = (
    "最好的医生", "最好的大夫", "最有名的医生", "最厉害的医生", "最厉害的大夫", "好一点的医生",
    "好点的医生", "有经验的医生", "水平高的医生", "名医",
)  # fmt: skip
# What stands before a department's name and is no part of it; 本科 and 百科 are none.
_BEFORE = (
    "我你您他她它想要挂看去找约请问帮给的有没个是在到能可不和跟或与吗呢吧了啊哪几什么这那别各每换另院号点半上"
    "下午晚早今明天周星期礼拜日一二三四五六七八九十两来说转入出用叫该啥"
)
_DEPARTMENT = re.compile(rf"(?P<name>[^\W\d_a-z{_BEFORE}]{{1,4}}科)(?![室学目技员普幻研])")
_NO_DEPARTMENTS = frozenset(("本科", "百科", "学科", "文科", "理科", "专科", "前科", "分科", "医科", "同科"))
_ONLY_A_NAME = re.compile(
    r"(?:我|想|要|请|挂|找|看|约|预约|的|,|，| )*"
    rf"(?P<name>(?:{'|'.join(_COMPOUND)}|[{_SURNAMES}])[^\W\d_a-z的个位是好不能找看有哪号科吗呢吧了啊要去在末时候]{{1,2}})"
    r"(?:医生|大夫|主任|教授|医师)?(?:的?号)?"
)
# Plain words that begin like a name.
_PLAIN = (
    "马上", "高兴", "高烧", "高热", "高糖", "程度", "程序", "石头", "余额", "余下", "许多", "许可",
    "范围", "钟头", "苏醒", "叶酸", "姜汤", "董事", "陈旧", "郑重", "陆续", "萧条", "任何", "金额",
    "曾经", "何必", "何况", "周边", "周围", "周岁", "黄疸", "杜绝", "田地", "高血", "高压", "黄色",
    "石膏", "石灰", "马虎", "程式", "姚明", "文件", "金钱", "汪汪", "何事",
)  # fmt: skip
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


def department_called(folded: str) -> str:
    """What looks like the name of a department in a message, known or not: 肾内科; "" for nothing."""
    found = _DEPARTMENT.search(folded.replace(" ", "")[:_LONGEST])
    return "" if found is None or found["name"] in _NO_DEPARTMENTS else found["name"]


def only_a_name(folded: str) -> str:
    """The name of a person that a message is, but for what people say around it; "" for none."""
    found = _ONLY_A_NAME.fullmatch(folded[:_LONGEST])
    return "" if found is None or found["name"].startswith(_PLAIN) else found["name"]


def surname_of(name: str) -> str:
    """The surname a whole name begins with."""
    return name[:2] if name.startswith(_COMPOUND) else name[:1]


def class_names(clinic_class: str) -> tuple[str, ...]:
    """号别 as people say it: whoever wants 专家号 means every doctor who has such."""
    return _CLASSES[clinic_class]


def hospital_short(name: str) -> str:
    """云汀市人民医院: 人民医院. In a list of one city its name goes without saying."""
    return _CITY.sub("", name)
