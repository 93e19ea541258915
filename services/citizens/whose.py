"""How citizens say for whom something is: 给我老伴挂号, 帮我妈约, 是孩子看病, 给我自己."""

import re

_WE = "(?:我们|咱们|我|咱|俺)"
# Longest first: what is matched once is not matched shorter, or 弟弟让我来 would be 弟 and 弟让我来.
_RELATIVES = (
    "孩子[他她]?[妈爸爹娘]|老伴儿?|老公|老婆|爱人|媳妇儿?|儿媳妇?|妻子|丈夫|太太|那口子|对象|男朋友|女朋友|孩子|小孩儿?|小朋友"
    "|宝宝|宝贝|娃娃?|大?儿子|大?女儿|小儿子|小女儿|闺女|外?孙子|外孙女?|孙女|爸爸?|妈妈?|父亲|母亲|爹|父母"
    "|老爸|老妈|老爹|老娘|老爷子|老太太|老头子|爷爷|奶奶|姥姥|姥爷|外公|外婆|岳父|岳母|丈母娘|老丈人|公公|婆婆"
    "|哥哥?|姐姐?|弟弟?|妹妹?|嫂子|姐夫|妹夫|弟媳妇?|弟妹|叔叔?|婶婶?|伯伯|伯父|伯母|舅舅?|舅妈|姨妈?|阿姨|姑姑"
    "|姑妈|侄子|侄女|外甥女?|女婿|亲家|亲戚|家人|家属|家里人|老人家?|邻居|朋友|同事|同学|病人|患者"
)
# These are people only where something is done for them: 给他挂, 替人约.
_ANYBODY = f"(?:{_RELATIVES}|别人|他人|旁人|人家|[他她]|人(?=[挂约看预]))"
# Who acts, tells or pays is not the patient; and what goes on so is no person but a place.
_NOT_THE_PATIENT = (
    r"(?!们?(?:都|就|已经|刚|刚才)?(?:让|叫|说|帮我|帮忙|给我|替我|陪我|带我|教我|推荐|介绍|打|问|告诉))"
    "(?![^去到上看挂约要想在]{0,2}(?:医院|门诊|诊所|中心))"
    "(?![庙桥山路街镇村坡湾河湖塘坊寺岭屯沟科圈])"
)
_FOR = r"(?<![不别没])(?<!不是)(?<!不要)(?<!不用)(?:给|帮|替|为了?|代|带|陪|领|是)"
_WHOSE = rf"(?:{_WE}?[和跟与])?{_WE}?(?:家里?|们)?(?:的|那个?)?(?:[^,，。 ]{{0,6}}的)?[大小二三]?"
_SOMEBODY_ELSE = re.compile(
    rf"{_FOR}{_WHOSE}(?P<served>(?>{_ANYBODY})){_NOT_THE_PATIENT}"
    rf"|(?:^|(?<=[,，。;；!！、])|{_WE}[和跟与]{_WE}?|(?<![不别没]是){_WE}(?:家里?|们)?的?)[大小二三]?(?P<spoken>(?>{_RELATIVES})){_NOT_THE_PATIENT}"
)
# Without one of their characters nobody is named: nearly every message, told by one look.
_ANY_OF_THEM = re.compile(f"[{''.join(sorted(set(re.findall('[一-龥]', _ANYBODY))))}]")
_CALLED = {**{who: who * 2 for who in "爸妈哥姐弟妹"}, "人": "别人"}
_LONGEST = 80  # characters; who says for whom says little else


# Themselves, where it is all there is to it: 我自己去可以吗 says nothing of the patient.
_ONESELF = re.compile(
    r"(?:给|帮|替|为|是|就|就给|只给)我?(?:自己|本人)(?!家|的)"
    r"|^我?(?:自己|本人)(?:看|看病|看的|挂|挂号|挂的|约|约的|的)?$"
)
SELF = "本人"


def meant_by(folded: str) -> tuple[str, str] | None:
    """For whom a message says it is, and the message without that; None if it says nothing of it."""
    found = somebody_else(folded)
    if found is not None or len(folded) > _LONGEST:
        return found
    text = folded.replace(" ", "")
    hit = _ONESELF.search(text)
    return (SELF, text[: hit.start()] + text[hit.end() :]) if hit else None


def somebody_else(folded: str) -> tuple[str, str] | None:
    """Whom a message says the visit is for, and the message without that; None if it names nobody else."""
    if len(folded) > _LONGEST or not _ANY_OF_THEM.search(folded):
        return None
    text = folded.replace(" ", "")
    found = _SOMEBODY_ELSE.search(text)
    if found is None:
        return None
    who = found["served"] or found["spoken"]
    return _CALLED.get(who, who), text[: found.start()] + text[found.end() :]
