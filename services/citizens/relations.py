"""What people call those they do things for: 妈, 老伴, 孩子; and which relations that may be."""

import re

from services.citizens.model import FORMER, SELF

TITLES = {
    SELF: "本人",
    FORMER: "本人",
    "mother": "妈妈",
    "father": "爸爸",
    "spouse": "老伴",
    "son": "儿子",
    "daughter": "女儿",
    "grandmother": "奶奶",
    "grandfather": "爷爷",
    "brother": "兄弟",
    "sister": "姐妹",
    "mother_in_law": "婆婆",
    "father_in_law": "公公",
    "grandchild": "孙辈",
    "other": "亲友",
}
FAMILY = frozenset(TITLES) - {SELF, FORMER}  # what a citizen may ask to be bound to, beside themselves

_WORDS = {
    SELF: "本人 我 自己 我自己 本人自己 俺 我本人",
    "mother": "妈 妈妈 母亲 老妈 老娘 娘 妈咪 老母亲 阿妈 亲妈",
    "father": "爸 爸爸 父亲 老爸 老爹 爹 爹爹 老父亲 阿爸 老汉 亲爸",
    "spouse": "老伴 老伴儿 老公 老婆 爱人 媳妇 媳妇儿 妻子 丈夫 太太 先生 那口子 对象 配偶 老头子 老婆子 "
    "内人 夫人 "
    "孩子他妈 孩子她妈 孩子妈 孩子他爸 孩子她爸 孩子爸 孩子他爹 孩子她爹 孩子爹 孩子他娘 孩子她娘 孩子娘",
    "son": "儿子 男孩 独生子",
    "daughter": "女儿 闺女 姑娘 丫头 女孩",
    "son daughter": "孩子 娃 娃娃 小孩 小孩儿 小朋友 宝宝 宝贝 子女 儿女 孩儿",
    "mother father": "父母 爸妈 爹妈 双亲 爸爸妈妈",
    "grandmother": "奶奶 姥姥 外婆 祖母 外祖母 阿婆 奶 姥",
    "grandfather": "爷爷 姥爷 外公 祖父 外祖父 阿公 爷",
    "grandmother grandfather": "爷爷奶奶 姥姥姥爷 外公外婆",
    "brother": "哥 哥哥 弟 弟弟 兄弟 大哥 老弟 兄长",
    "sister": "姐 姐姐 妹 妹妹 姐妹 大姐 老妹",
    "brother sister": "兄弟姐妹 兄妹 姐弟",
    "mother_in_law": "婆婆 岳母 丈母娘 老丈母娘 婆母",
    "father_in_law": "公公 岳父 老丈人 老岳父 丈人 公爹",
    "mother_in_law father_in_law": "公婆 岳父母",
    "grandchild": "孙子 孙女 外孙 外孙子 外孙女 孙辈 孙儿 孙女儿 孙娃",
    "mother grandmother mother_in_law spouse": "老太太",
    "father grandfather father_in_law": "老爷子",
    "mother father grandmother grandfather mother_in_law father_in_law": "老人 老人家 长辈",
    "other": "朋友 男朋友 女朋友 同事 同学 邻居 亲戚 亲友 亲家 儿媳 儿媳妇 女婿 嫂子 姐夫 妹夫 弟媳 弟媳妇 "
    "弟妹 "
    "叔 叔叔 婶 婶婶 伯伯 伯父 伯母 舅 舅舅 舅妈 姨 姨妈 阿姨 姑姑 姑妈 姑父 姨父 姨夫 侄子 侄女 "
    "外甥 外甥女 战友 师傅 老师 保姆 街坊 老乡",
    " ".join(FAMILY): "家人 家属 家里人 别人 他人 旁人 人家 病人 患者 他 她",
}
_CODES = {word: frozenset(codes.split()) for codes, words in _WORDS.items() for word in words.split()}
_WHOSE = re.compile(r"^(?:我们|咱们|我|咱|俺|家)(?:们)?(?:家里?)?的?")
_WHICH = re.compile(r"^(?:[大小二三四老亲]|老[大二三四])")


def codes(word: str) -> frozenset[str]:
    """The relations a word may mean: 我妈 is the mother, 孩子 a son or a daughter; none for other words."""
    said = "".join(word.split())
    for each in (said, _WHOSE.sub("", said), _WHICH.sub("", _WHOSE.sub("", said))):
        if each in _CODES:
            return _CODES[each]
    return frozenset()


def title(code: str) -> str:
    """What somebody of this relation is called when a citizen is told of them: 妈妈."""
    return TITLES[code]


def words(code: str) -> tuple[str, ...]:
    """The words that mean this relation and no other, its title first."""
    alone = [word for word, found in _CODES.items() if found == {code}]
    return tuple(dict.fromkeys((TITLES[code], *alone)))
