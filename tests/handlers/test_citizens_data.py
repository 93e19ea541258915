"""我的数据, 导出, 更正, 删除, 停止, 恢复 in chat."""

import pytest

from core.chat.events import Kind, Revoked
from core.effects import Effect
from core.errors import DomainError
from core.stores.database import Database
from services.citizens.consent_texts import FAMILY, HEALTH, SHARING
from services.citizens.consents import Consents
from services.citizens.exports import ExportOver, Exports
from services.citizens.rights import NoSuchRequest
from tests.handlers.mailing import arrives
from tests.handlers.test_families import MOTHERS_PHONE, proves_self
from tests.services.ward import Ward, at
from tests.support.people import DAUGHTER, MOTHER
from tests.support.register import Register
from tests.support.talk import Talk, words_of


async def booked(talk: Talk, ward: Ward) -> None:
    await ward.session("heart-1", at("10:00"), units=(4,))
    assert "预约成功" in await talk.walk("挂heart", "1", "1", "1", "1")


# --- 我的数据 ---


async def test_who_entered_nothing_is_told_so(talk: Talk) -> None:
    shown = await talk.says("我的数据")
    assert "我们不知道您的姓名" in shown
    assert "家人 0 位，预约 0 个，留言 0 条，同意过 0 件事" in shown
    assert len(shown.splitlines()) <= 6


async def test_what_is_stored_is_told_masked(talk: Talk, register: Register, ward: Ward) -> None:
    await proves_self(talk, register, "王秀英", MOTHER)
    await booked(talk, ward)
    await talk.walk("人工", "我想问一下医保报销的事情，谢谢你们")
    shown = await talk.says("我的数据")
    assert "您的实名：王*英 1101**********002X" in shown
    assert "预约 1 个，留言 1 条，同意过 1 件事" in shown
    assert MOTHER not in shown


async def test_purposes_and_periods_are_a_word_away(talk: Talk) -> None:
    shown = await talk.says("数据用途")
    for period in ("30 天", "1 年", "5 年", "3 年", "1 天"):
        assert period in shown
    assert len(shown.splitlines()) <= 6


# --- 导出 ---


async def test_a_link_to_ones_own_data(talk: Talk, db: Database) -> None:
    said = await talk.says("导出")
    assert '<a href="https://city.example/export?k=' in said
    exports = talk.bot.services[Exports]
    assert isinstance(exports, Exports)
    token = said.partition("?k=")[2].partition('"')[0]
    assert await exports.owner(token) == await db.fetchval("SELECT citizen FROM accounts")
    assert await talk.repeats() == said, "delivered again it is the same link"
    assert await db.fetchval("SELECT count(*) FROM exports") == 1


# --- 更正 ---


async def test_what_is_proven_is_put_right_by_a_person(talk: Talk, register: Register, db: Database) -> None:
    await proves_self(talk, register, "王秀英", MOTHER)
    assert "编号 2000" in await talk.walk("更正", "姓名", "王秀瑛，英字写错了")
    assert "12月14日" in (talk.said.text if talk.said else ""), "fifteen working days after 23 November"
    assert await db.fetchval("SELECT count(*) FROM rights_requests WHERE state = 'open'") == 1


async def test_of_whom_no_name_is_stored_none_is_wrong(talk: Talk) -> None:
    assert "请回复“绑定”" in await talk.walk("更正", "身份证号码")


async def test_control_anything_else_can_be_wrong(talk: Talk) -> None:
    assert "编号 2000" in await talk.walk("更正", "其他", "我的预约科室显示错了")


async def test_what_is_too_long_is_asked_again(talk: Talk) -> None:
    asked = await talk.walk("更正", "其他", "错" * 201)
    assert "最多 200 个字" in asked
    assert "应该是什么" in asked
    assert "编号 2000" in await talk.says("我的预约科室显示错了")


@pytest.mark.parametrize("refusal", [ExportOver(), NoSuchRequest()])
def test_what_pages_and_commands_refuse_has_its_sentence_too(refusal: DomainError) -> None:
    assert words_of().render(f"errors/{refusal.code}", **refusal.facts)


# --- 删除 ---


async def test_deleting_says_what_goes_and_what_stays_and_asks(talk: Talk, db: Database) -> None:
    asked = await talk.says("删除")
    for word in ("清掉", "留下", "要删除吗", "1、删除", "2、不删"):
        assert word in asked
    assert "什么都没变" in await talk.says("不删")
    assert await db.fetchval("SELECT count(*) FROM erasures") == 0


async def test_with_nothing_open_it_is_done_at_once(talk: Talk, register: Register, db: Database) -> None:
    await proves_self(talk, register, "王秀英", MOTHER)
    before = await db.fetchval("SELECT citizen FROM accounts")
    said = await talk.walk("删除", "删除")
    assert "已经删除。回执号" in said
    assert await db.fetchval("SELECT count(*) FROM accounts") == 0
    assert await db.fetchval("SELECT count(*) FROM persons WHERE identity IS NOT NULL") == 0
    session = await talk.session()
    assert (session.citizen, session.frames) == ("", [])
    assert "我们不知道您的姓名" in await talk.says("我的数据"), "who writes again is new here"
    assert await db.fetchval("SELECT citizen FROM accounts") != before


async def test_the_receipt_can_be_checked_by_its_number(talk: Talk, db: Database) -> None:
    said = await talk.walk("删除", "删除")
    number = said.partition("查回执 ")[2][:12]
    told = await talk.another("o-somebody").says(f"查回执 {number[:4]} {number[4:8]} {number[8:]}")
    assert "11月23日 周一 09:00 已经删除" in told
    assert "清掉账号 1 个" in told
    code = said.partition("校验码：")[2].split()[0]
    assert code in told
    assert len(told.splitlines()) <= 6
    assert "没有这个回执号" in await talk.says("查回执 000011112222")


async def test_the_answer_is_the_same_if_it_has_to_be_given_again(talk: Talk, db: Database) -> None:
    await talk.says("删除")
    before = await talk.session()
    said = await talk.says("删除")
    assert await talk.repeats() == said, "WeChat asks again"
    await talk.keep(before)  # the process died after the commit, before the session was kept
    event = talk.last_event
    await talk.ground.redis.client.flushall()
    await talk.keep(before)
    assert await talk.delivers(event) == said
    assert await db.fetchval("SELECT count(*) FROM erasures") == 1


async def test_who_has_a_number_to_come_waits_and_can_think_better_of_it(
    talk: Talk, ward: Ward, db: Database
) -> None:
    await booked(talk, ward)
    assert "您还有 1 个预约没看" in await talk.says("删除")
    said = await talk.says("1")
    assert "最晚 12月23日" in said
    number = said.partition("查回执 ")[2][:12]
    assert "还在等预约办完" in await talk.says(f"查回执{number}")
    assert "已申请删除，最晚 12月23日" in await talk.says("我的数据")
    assert "heart" in await talk.says("我的预约"), "until then all goes on"
    assert "不删除了" in await talk.says("不删了")
    assert "已经撤回" in await talk.says(f"查回执{number}")
    assert "已申请删除" not in await talk.says("我的数据")
    assert "没有等着删除的" in await talk.says("不删了")


async def test_a_holder_is_told_and_cannot_act_any_more(talk: Talk, register: Register) -> None:
    mother = talk.another("o-mother")
    await proves_self(mother, register, "王秀英", MOTHER)
    await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "短信")
    await talk.says(register.last(MOTHERS_PHONE))
    assert "有 1 位家人不能再替您办事" in await mother.says("删除")
    await mother.says("1")
    assert any("取消了您替对方办事" in told for told in await arrives(talk))
    assert "您还没有添加家人" in await talk.says("我的家人")


# --- 停止, 恢复 ---


async def test_reminders_stop_and_come_again(talk: Talk, ward: Ward, db: Database) -> None:
    await booked(talk, ward)
    shown = await talk.says("停止")
    assert "城市通知" in shown
    assert "预约还在，别忘了去" in await talk.says("就诊提醒")
    assert "已经停止：就诊提醒" in await talk.says("1")
    assert await db.fetchval("SELECT array_agg(purpose) FROM stops") == ["reminders"]
    assert "就诊提醒从现在起照常" in await talk.says("恢复")
    assert await db.fetchval("SELECT count(*) FROM stops") == 0
    assert "都在正常发" in await talk.says("恢复")


async def test_a_no_stops_nothing(talk: Talk, db: Database) -> None:
    assert "没有停止" in await talk.walk("停止", "城市通知", "2")
    assert await db.fetchval("SELECT count(*) FROM stops") == 0


async def test_whose_notices_are_all_stopped_has_nothing_to_stop(talk: Talk) -> None:
    await talk.walk("停止", "城市通知", "1")
    await talk.walk("停止", "就诊提醒", "1")
    assert "没有可以停止的" in await talk.says("停止")
    assert "1、" in await talk.says("恢复")


async def test_without_the_consent_nobody_is_proven(talk: Talk, register: Register) -> None:
    await proves_self(talk, register, "王秀英", MOTHER)
    assert "您的实名也取消" in await talk.walk("停止", "确认您的身份")
    assert "已经停止：确认您的身份" in await talk.says("停止")
    assert "我们不知道您的姓名" in await talk.says("我的数据")
    assert "您同意吗" in await talk.walk("绑定", "本人"), "it is asked again"


async def test_without_the_consent_nobody_is_bound(talk: Talk, register: Register) -> None:
    await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "短信")
    await talk.says(register.last(MOTHERS_PHONE))
    assert "妈妈王*英" in await talk.says("我的家人")
    await talk.walk("停止", "替家人办事", "1")
    assert "您还没有添加家人" in await talk.says("我的家人")


@pytest.mark.parametrize(
    ("purpose", "title"), [(HEALTH, "查看检查报告和病历"), (SHARING, "把信息给别的单位")]
)
async def test_what_stops_and_what_goes_on_is_said_of_each_consent(
    talk: Talk, db: Database, purpose: str, title: str
) -> None:
    await talk.says("我的数据")
    citizen = await db.fetchval("SELECT citizen FROM accounts")
    consents = talk.bot.services[Consents]
    assert isinstance(consents, Consents)
    await consents.ask(citizen, purpose, "", (), Effect("1", "ask", b""))
    await consents.grant(citizen, purpose, "", "city:1", Effect("1", "grant", b""))
    assert "照常" in await talk.walk("停止", title)
    assert "会再问您" in await talk.says("1")
    assert (await consents.state(citizen, purpose)).state == "withdrawn"


async def agrees(talk: Talk, purpose: str, person: str) -> Consents:
    """The citizen agreed to something about one person in particular."""
    consents = talk.bot.services[Consents]
    assert isinstance(consents, Consents)
    citizen = await talk.ground.db.fetchval("SELECT citizen FROM accounts")
    await consents.ask(citizen, purpose, person, (), Effect(f"1{person}", f"ask {purpose}", b""))
    await consents.grant(citizen, purpose, person, "city:1", Effect(f"1{person}", f"grant {purpose}", b""))
    return consents


async def test_what_was_agreed_to_about_one_person_is_stopped_for_them_alone(
    talk: Talk, register: Register, db: Database
) -> None:
    await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "短信")
    await talk.says(register.last(MOTHERS_PHONE))
    citizen = await db.fetchval("SELECT citizen FROM accounts")
    mother = await db.fetchval("SELECT person FROM bindings WHERE relation = 'mother' AND state = 'active'")
    for person in ("", mother):
        consents = await agrees(talk, HEALTH, person)
    shown = await talk.says("停止")
    assert "查看检查报告和病历（妈妈王*英）" in shown
    assert "不再办“查看检查报告和病历（妈妈王*英）”" in await talk.says("查看检查报告和病历（妈妈王*英）")
    assert "已经停止：查看检查报告和病历（妈妈王*英）" in await talk.says("停止")
    assert (await consents.state(citizen, HEALTH, mother)).state == "withdrawn"
    assert (await consents.state(citizen, HEALTH)).is_granted, "about oneself it goes on"
    assert "妈妈王*英" in await talk.says("我的家人"), "and she is still bound"


async def test_the_consent_to_one_persons_binding_ends_hers_and_no_other(
    talk: Talk, register: Register, db: Database
) -> None:
    await proves_self(talk, register, "张小芳", DAUGHTER)
    await talk.walk("绑定", "妈妈", "同意", "王秀英", MOTHER, "女儿小芳", "没错", "短信")
    await talk.says(register.last(MOTHERS_PHONE))
    mother = await db.fetchval("SELECT person FROM bindings WHERE relation = 'mother' AND state = 'active'")
    await agrees(talk, FAMILY, mother)
    await talk.walk("停止", "替家人办事（妈妈王*英）", "1")
    assert "您还没有添加家人" in await talk.says("我的家人")
    assert "您的实名：张*芳" in await talk.says("我的数据")
    await agrees(talk, HEALTH, mother)
    assert "（以前的家人）" in await talk.says("停止"), "who is theirs no more is not named"


# --- what is revoked at WeChat ---


async def test_a_permission_taken_back_is_silent_and_takes_what_came_with_it(
    talk: Talk, db: Database
) -> None:
    await talk.says("我的数据")
    await db.execute("UPDATE citizens SET unionid = '\\x00112233445566778899aabbccddeeff'")
    for info, left in (("206", 1), ("205", 0)):
        detail = Revoked(openid=talk.openid, appid="wx", info=(info,))
        assert await talk.sends(Kind.AUTHORIZATION_REVOKED, detail=detail) == ""
        assert await db.fetchval("SELECT count(unionid) FROM citizens") == left
    assert "我们不知道您的姓名" in await talk.says("我的数据"), "the rest goes on"
