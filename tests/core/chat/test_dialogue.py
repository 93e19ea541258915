"""Questions and what people answer: choices, pages, confirmations, words, days, places, pictures."""

from datetime import date
from functools import partial

import pytest

from core.chat.dialogue import Ask
from core.chat.events import Kind
from core.chat.hearing import Turn
from core.chat.sessions import Frame
from core.effects import Effect, digest_of
from tests.core.chat.teahouse import TEAS, Item, Kitchen
from tests.support.talk import Talk, words_of


async def test_a_message_shows_at_most_six_numbered_lines(talk: Talk) -> None:
    reply = await talk.says("喝茶")
    assert "1、龙井" in reply
    assert "6、普洱" in reply
    assert "白茶" not in reply
    assert "9 更多" in reply
    assert "0 人工" in reply


async def test_paging_goes_on_and_round(talk: Talk) -> None:
    await talk.says("喝茶")
    assert "1、白茶" in await talk.says("9")
    third = await talk.says("下一页")
    assert "2、六安瓜片" in third
    assert "3 " not in third
    assert "9 更多" not in third
    round_again = await talk.says("更多")
    assert round_again.startswith("后面没有了，从头看：")
    assert "1、龙井" in round_again


async def test_on_a_later_page_eight_was_told_that_this_is_the_first_step(talk: Talk) -> None:
    second, third = [await talk.walk(*messages) for messages in (("喝茶", "9"), ("9",))]
    assert "8 返回" in third
    assert await talk.says("8") == second
    assert "1、龙井" in await talk.says("上一页")
    first = await talk.says("上一页")
    assert "这就是第一页" in first
    assert "8 返回" not in first
    assert "第一步" in await talk.says("8")


async def test_a_number_means_the_line_on_the_page_that_was_shown(talk: Talk) -> None:
    await talk.walk("喝茶", "9", "2", "1")
    assert "菊花茶，靠窗" in (talk.said.text if talk.said else "")


async def test_a_short_list_has_no_more(talk: Talk) -> None:
    reply = await talk.walk("喝茶", "1")
    assert "3、院子" in reply
    assert "更多" not in reply
    assert "请选座位" in await talk.says("9")


@pytest.mark.parametrize("said", ["茉莉花茶", "花茶", "我要茉莉花茶", "就花茶吧", "茉莉"])
async def test_the_words_of_an_option_on_another_page_work(talk: Talk, said: str) -> None:
    await talk.says("喝茶")
    assert "请选座位" in await talk.says(said)


async def test_what_they_saw_is_what_they_mean(talk: Talk, kitchen: Kitchen) -> None:
    await talk.says("喝茶")
    kitchen.teas = [Item("new", "新茶"), *reversed(TEAS)]
    await talk.walk("2", "1")
    assert "碧螺春" in (talk.said.text if talk.said else "")


async def test_a_settled_question_answers_itself_without_its_loader(talk: Talk, kitchen: Kitchen) -> None:
    await talk.walk("喝茶", "1", "1")
    loaded = dict(kitchen.loaded)
    await talk.says("1")
    assert dict(kitchen.loaded) == loaded


async def test_a_miss_says_what_was_understood_and_offers_the_nearest_two(talk: Talk) -> None:
    await talk.says("喝茶")
    reply = await talk.says("茉莉茶花")
    assert "您说的是“茉莉茶花”" in reply
    assert "茉莉花茶，或 " in reply
    assert "人工" in await talk.says("还是不对")


async def test_a_miss_leaves_every_line_its_number(talk: Talk) -> None:
    first = await talk.says("喝茶")
    lines = [line for line in first.splitlines() if line[:1].isdigit()]
    missed = await talk.says("茉莉茶花")
    assert [line for line in missed.splitlines() if line[:1].isdigit()] == lines
    await talk.says("更多")
    assert "白茶" in await talk.says("咖啡"), "the page stays, too"


async def test_after_two_misses_a_person_is_offered_and_an_answer_forgets_them(talk: Talk) -> None:
    await talk.says("喝茶")
    assert "说不通" not in await talk.says("咖啡")
    assert "说不通" in await talk.says("可乐")
    assert "说不通" not in await talk.says("龙井")
    assert "说不通" not in await talk.says("凳子")


async def test_a_number_beyond_the_list_neither_chooses_nor_turns_the_list_over(talk: Talk) -> None:
    await talk.walk("喝茶", "1")
    reply = await talk.says("5")
    assert "您回复的是“5”，没有这一项。请回复 1–3。" in reply
    assert "您要找的是不是" not in reply
    assert "1、靠窗" in reply


async def test_a_number_beyond_the_list_stays_on_its_page(talk: Talk) -> None:
    await talk.walk("喝茶", "9", "9")
    assert "1、金骏眉" in await talk.says("4")


async def test_what_follows_the_word_answers_the_first_question(talk: Talk) -> None:
    assert "请选座位" in await talk.says("喝茶铁观音")


async def test_what_follows_the_word_and_fits_several_sorts_them_to_the_front(talk: Talk) -> None:
    reply = await talk.says("喝茶绿茶红茶")  # 龙井 is a green one, 祁门 a red one on the second page
    assert "请选茶" in reply
    assert "您说的是" not in reply
    assert "祁门红茶" in reply
    assert max(reply.index("祁门红茶"), reply.index("龙井")) < reply.index("3、")


async def test_what_follows_the_word_answers_a_later_question_by_name_and_once_only(talk: Talk) -> None:
    reply = await talk.says("喝茶靠窗")
    assert "请选茶" in reply
    assert "龙井，靠窗，要上茶吗" in await talk.says("1")
    assert "请选座位" in await talk.says("返回"), "who goes back wants something else"
    assert "请选座位" in await talk.walk("返回", "2")


async def test_a_number_behind_the_word_is_no_answer_to_any_question(talk: Talk) -> None:
    await talk.says("喝茶 2")
    assert "请选座位" in await talk.says("1")


async def test_an_answer_may_say_what_a_later_question_asks(talk: Talk) -> None:
    await talk.says("喝茶")
    assert "铁观音，院子，要上茶吗" in await talk.says("铁观音，院子")


async def test_what_follows_the_word_is_not_kept_for_a_later_text_question(talk: Talk) -> None:
    assert "存茶吗" in await talk.says("存茶老王")
    assert "贵姓" in await talk.says("好")


async def test_a_confirmation_goes_on_after_yes_only(talk: Talk, kitchen: Kitchen) -> None:
    await talk.walk("喝茶", "1", "1")
    for said in ("再确认一下时间", "先不确认行吗", "确认什么", "3", "换成明天行不行"):
        assert "要上茶吗" in await talk.says(said)
        assert kitchen.poured == []
    assert "上茶了" in await talk.says("确认")


async def test_a_no_ends_the_dialogue(talk: Talk, kitchen: Kitchen) -> None:
    await talk.walk("喝茶", "1", "1")
    assert "不办了" in await talk.says("不了，谢谢")
    assert kitchen.poured == []
    assert (await talk.session()).frames == []


async def test_nine_at_a_confirmation_is_a_miss_and_eight_goes_back(talk: Talk) -> None:
    await talk.walk("喝茶", "1", "1")
    assert "要上茶吗" in await talk.says("9")
    assert "请选座位" in await talk.says("8")


@pytest.mark.parametrize("said", ["重说", "再说一遍"])
async def test_once_more(talk: Talk, said: str) -> None:
    asked = await talk.says("喝茶")
    assert await talk.says(said) == asked


async def test_a_list_was_repeated_for_seven_without_a_word(talk: Talk) -> None:
    asked = await talk.says("喝茶")
    assert await talk.says("７") == f"再说一遍：\n\n{asked}"
    for line in ("七", "第七个", "选第七个", "第八个", "第九项"):
        assert f"您回复的是“{line}”，没有这一项。" in await talk.says(line)
    assert "1、白茶" in await talk.says("九")


async def test_words_of_ones_own_are_checked_and_tidied(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    refused = await talk.says("欧阳锋和他的二十个好朋友")
    assert "太长了" in refused
    assert "贵姓" in refused
    assert "王小明，订包间吗" in await talk.says("王 小 明")


async def test_recognised_speech_ends_in_a_full_stop_nobody_said(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    assert "11-24 王小明，订包间吗" in await talk.speaks("王小明。")


async def test_a_day_is_checked(talk: Talk) -> None:
    await talk.says("订包间")
    assert "已经过了" in await talk.says("昨天")
    assert "您说的是“过几天”" in await talk.says("过几天")
    assert "贵姓" in await talk.says("下周三上午吧")


async def test_the_day_may_come_with_the_word(talk: Talk) -> None:
    assert "贵姓" in await talk.says("订包间明天")


async def test_digits_are_ordinary_words_in_a_text_question(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    assert "11-24 0，订包间吗" in await talk.says("0")
    await talk.says("8")
    assert "11-24 9，订包间吗" in await talk.says("9")


async def test_a_place_and_a_picture(talk: Talk) -> None:
    await talk.says("报失")
    assert "拍一张照片" in await talk.sends_place(31.5)
    assert "报失记下了：31.5/p-1" in await talk.sends_photo("p-1")


async def test_the_wrong_thing_at_a_place_or_picture_question_is_named_so(talk: Talk) -> None:
    await talk.says("报失")
    reply = await talk.sends_photo()
    assert "这一步要的不是这个" in reply
    assert "在哪里丢的" in reply
    assert "您说的是“在人民路”" in await talk.says("在人民路")
    await talk.sends_place()
    assert "这一步要的不是这个" in await talk.sends(Kind.VIDEO)
    assert "拍一张照片" in await talk.says("没有照片")


@pytest.mark.parametrize(
    "kind", [Kind.IMAGE, Kind.VIDEO, Kind.SHORTVIDEO, Kind.LOCATION, Kind.LINK, Kind.FILE]
)
async def test_what_is_no_words_at_a_choice(talk: Talk, kind: Kind) -> None:
    await talk.says("喝茶")
    reply = await talk.sends(kind)
    assert "看不懂" in reply
    assert "1、龙井" in reply
    assert "人工" in await talk.sends(kind)


async def test_a_sticker_is_no_answer_to_a_text_question(talk: Talk) -> None:
    await talk.walk("订包间", "明天")
    reply = await talk.says("【收到不支持的消息类型，暂无法显示】")
    assert "看不懂" in reply
    assert "贵姓" in reply


async def test_speech_that_was_not_recognised_asks_again_and_twice_offers_a_person(talk: Talk) -> None:
    await talk.says("喝茶")
    assert "没有听清" in await talk.speaks("")
    reply = await talk.speaks("")
    assert "1、龙井" in reply
    assert "说不通" in reply
    assert "请选座位" in await talk.speaks("龙井。")


async def test_nothing_to_choose_uncaught_ends_with_its_own_words(talk: Talk) -> None:
    assert await talk.says("没座位") == "一个座位也没有了。"
    assert (await talk.session()).frames == []


async def test_nothing_to_choose_caught_asks_an_earlier_question_again(talk: Talk, kitchen: Kitchen) -> None:
    kitchen.taken = {seat.id for seat in kitchen.seats}
    reply = await talk.walk("喝茶", "龙井")
    assert "今天客满了" in reply
    assert "请选茶" in reply
    assert (await talk.session()).frames[-1].answers == {}


async def test_a_refusal_nobody_catches_ends_the_dialogue(talk: Talk) -> None:
    assert await talk.says("客满") == "今天客满了。"
    assert (await talk.session()).frames == []


async def test_the_second_word_of_the_pattern_is_there_on_every_turn(talk: Talk) -> None:
    assert "龙井 → 北京，寄吗" in await talk.says("寄龙井到北京")
    talk.restart()
    assert "寄出了：龙井 → 北京" in await talk.says("好的")


async def test_once_refuses_a_closure_that_hides_its_arguments(kitchen: Kitchen) -> None:
    hidden = "seat"

    async def pour(effect: Effect) -> str:
        return await kitchen.note(hidden, "", effect)

    with pytest.raises(TypeError, match="partial"):
        digest_of(pour)


def test_other_arguments_have_another_digest(kitchen: Kitchen) -> None:
    one = digest_of(partial(kitchen.note, "a", "b"))
    assert one == digest_of(partial(kitchen.note, "a", "b"))
    others = [
        partial(kitchen.note, "a", "c"),
        partial(kitchen.note, "ab", ""),
        partial(kitchen.note, "a", words="b"),
    ]
    assert one not in {digest_of(other) for other in others}


def test_a_keyword_s_value_and_its_name_are_part_of_the_digest(kitchen: Kitchen) -> None:
    one = digest_of(partial(kitchen.note, "a", words="b"))
    assert one == digest_of(partial(kitchen.note, "a", words="b"))
    assert one != digest_of(partial(kitchen.note, "a", words="c"))
    swapped = partial(kitchen.note, about="b", words="a")
    assert digest_of(partial(kitchen.note, about="a", words="b")) != digest_of(swapped)
    assert digest_of(partial(partial(kitchen.note, words="b"), "a")) != digest_of(
        partial(partial(kitchen.note, words="c"), "a")
    )


async def test_back_was_offered_where_there_is_nothing_to_go_back_to(talk: Talk) -> None:
    assert "返回" not in await talk.says("喝茶")
    assert "8 返回" in await talk.says("1")
    assert "返回" not in await talk.says("8")
    await talk.says("取消")
    assert "返回" not in await talk.says("订包间")
    assert "也可以说：返回、取消、人工" in await talk.says("明天")
    assert "8 返回" in await talk.says("王小明")
    assert "返回" not in await talk.says("确认"), "what is done stays done"
    await talk.says("取消")
    assert "返回" not in await talk.says("报失")
    assert "也可以说：返回、取消、人工" in await talk.sends_place()
    assert "返回" not in await talk.walk("取消", "存茶")


@pytest.mark.parametrize("said", ["随便", "哪个都行", "都可以吧", "就最早的吧", "无所谓"])
async def test_who_leaves_the_choice_to_us_was_not_understood(talk: Talk, said: str) -> None:
    await talk.walk("喝茶", "9")
    assert "请选座位" in await talk.says(said)
    assert "龙井，靠窗，要上茶吗" in await talk.says(said), "the first of all lines, whatever page is open"
    assert "上茶了" not in await talk.says(said)


async def test_another_day_at_the_confirmation_was_not_heard(talk: Talk) -> None:
    await talk.walk("订包间", "明天", "王小明")
    assert "11-25 王小明，订包间吗" in await talk.says("后天吧")
    assert "为了不弄错" in await talk.says("后天")
    assert "为了不弄错" in await talk.says("三点"), "nobody asked for a time"
    past = await talk.says("11月20日")
    assert "为了不弄错" in past
    assert "贵姓" in await talk.walk("返回")


async def test_a_bare_text_as_further_words_was_taken_letter_by_letter(talk: Talk) -> None:
    async def nothing() -> None:
        return None

    turn = Turn(talk.event(Kind.TEXT, text="喝茶"), date(2026, 11, 23))
    ask = Ask(Frame("tea.drink", "run"), turn, words_of(), "tea", "citizen")
    with pytest.raises(TypeError, match="yes and no are sequences of words"):
        await ask.confirm("agree", nothing, yes="退号")
