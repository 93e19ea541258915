"""Danger to life is heard in real sentences, and only there (domain-rules R7)."""

from pathlib import Path

import pytest

from core.chat.answers import fold
from core.chat.redflags import RedFlags
from core.errors import BootError
from tests.support.talk import red_flags

EMERGENCY = (
    """
我胸痛|胸口有点疼|我爸胸口很痛怎么办|心口突然疼|胸痛挂什么科|老伴突然昏倒了
孩子抽搐了|喘不上气|呼吸很困难|我妈晕过去了|没有胸痛，但是呼吸困难|没有胸痛，呼吸困难
没有发烧，就是胸痛|不发烧 胸痛|是不是心梗|我妈有没有中风啊|该不是中毒了吧|怕不是脑出血
不知道是不是中风|要不要紧，胸痛|止不住血|没有呼吸了|没意识了|没有意识
叫不醒|全身无力昏迷|不行了，胸痛|邻居喝了农药|老人没气了|心绞痛又犯了
一只手不能动，嘴歪了|孩子被花生噎住了|车祸受伤了|煤气中毒|一直流血不止|吐血
不胸闷，胸痛|没去医院，昏迷了
喘不过来|我喘不过来了|胸口闷得喘不上来|胸部疼痛|胸前区疼痛|心前区疼|心口绞痛|心口一阵阵绞痛|呼吸有困难|呼吸很费力
意识不太清|老人意识不太清楚|神志模糊|神志有点模糊|心跳停了|脸歪了|脸突然歪了，脸歪|嘴角歪了|孩子抽风|宝宝抽风了|孩子翻白眼
胸口一直有点疼|胸部很痛|左胸刺痛|胸闷得难受|呼吸越来越困难|高烧惊厥|中风后又昏迷了|是不是又中风了
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
CRISIS = [
    "我想自杀",
    "不想活了",
    "活着没意思",
    "我想死",
    "想割腕",
    "胸痛，不想活了",
    "死了算了",
    "有没有人陪我，我想跳楼",
    "想去死",
    "我要去死",
    "真想去死",
    "活着没有意思",
    "活着真没意思",
    "活着没什么意思",
    "我吃了很多安眠药",
    "吃了好多安眠药",
    "吞了一把，吃了一把安眠药",
    "安眠药吃多了",
]
QUIET = (
    """
没有胸痛|我没有胸痛|没有胸痛、呼吸困难|没有胸痛和呼吸困难，也没有昏迷|没有胸痛或者昏迷|不胸痛
无胸痛|没有明显的胸痛|没有觉得胸口痛|没胸痛|从来没有昏倒过|不是中风
没有呼吸困难|没有呼吸困难、胸痛|没有出现过抽搐|否认胸痛|没再晕倒|我不想死
没有自杀|想死你了|跳楼价卖了|防溺水讲座几点|中风后遗症康复|心梗复查
挂号|挂心内科|预约呼吸内科|胸外科|胸片怎么拍|心脏彩超
呼吸科在几楼|咳嗽有痰|肚子痛|头痛|没有心跳加速|没有意识模糊
孩子没有抽搐、没有昏迷|我没有想死
中风后恢复|中风后康复训练挂什么科|脑梗后恢复|我不想去死|不要去死啊|胸部不疼|没有喘不上来|没有呼吸急促
没有胸部疼痛|没有意识障碍|网络抽风了|睡不着想开点安眠药|气喘|心跳快|脸上长痘|嘴里起泡|没有胸痛、胸闷，就是咳嗽
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.mark.parametrize("said", EMERGENCY)
def test_this_is_an_emergency(said: str) -> None:
    assert red_flags().raised_by(fold(said)) == "chat/emergency"


@pytest.mark.parametrize("said", CRISIS)
def test_this_is_a_crisis_and_weighs_more_than_pain(said: str) -> None:
    assert red_flags().raised_by(fold(said)) == "chat/crisis"


@pytest.mark.parametrize("said", ["挂急诊", "我要看急诊", "救护车收费吗", "急诊在几楼"])
def test_who_asks_for_the_emergency_room_is_not_led_to_an_appointment(said: str) -> None:
    assert red_flags().raised_by(fold(said)) == "chat/emergency_room"


def test_danger_weighs_more_than_the_word_for_the_room() -> None:
    assert red_flags().raised_by(fold("胸痛得厉害，挂急诊")) == "chat/emergency"


@pytest.mark.parametrize("said", QUIET)
def test_this_is_none(said: str) -> None:
    assert red_flags().raised_by(fold(said)) is None


@pytest.mark.parametrize("content", ["", "[[group]]\nwords = ['a']", "group = 3", "not toml"])
def test_words_that_cannot_be_read_stop_the_boot(tmp_path: Path, content: str) -> None:
    path = tmp_path / "red_flags.toml"
    path.write_text(content)
    with pytest.raises(BootError, match=r"red_flags\.toml"):
        RedFlags(path)


def test_missing_words_stop_the_boot(tmp_path: Path) -> None:
    with pytest.raises(BootError, match="red-flag"):
        RedFlags(tmp_path / "nowhere.toml")
