"""The judge of the trial with killed processes finds doctored stories out."""

from dataclasses import replace

import pytest

from tests.support.booking_model import GAVE_UP, PASSED
from tests.support.judge import RETRY_S, Kill, Phone, complaints
from tests.support.walks import WALKS, Told, Walk

SAYS = {
    "挂号": ["请选择科室："],
    "1": ["请选择医生：", "请选择日期：", "请选择时间：", "要约这个号吗？", "【预约成功】"],
    "取消预约": ["要取消这个号吗？"],
    "科室": ["可以预约的科室："],
    "帮助": ["您可以这样说："],
}
TAKEN_BACK = ["已取消：今天"]


def true_story(plan: tuple[tuple[str, ...], ...] = WALKS[0]) -> Walk:
    """Everything answered in good order at once."""
    walk = Walk("o-somebody", plan)
    ones, number = [*SAYS["1"], *TAKEN_BACK], 0
    while texts := walk.next():
        turn = []
        for text in texts:
            number += 1
            told = Told(number, text, began=100.0 * number, ended=100.0 * number + 0.1, attempts=1)
            if text == "我的预约":
                told.reply = "您的预约一共 1 个" if walk.keeps else "您现在没有预约"
            else:
                told.reply = ones.pop(0) if text == "1" else SAYS[text][0]
            turn.append(told)
        walk.heard(turn)
    return walk


def kill(at: float) -> Kill:
    """One that came at once."""
    return Kill(at, at)


def refused_at_last(walk: Walk) -> Told:
    """Let the eighth message end with the platform's notice, and be said again."""
    hit = walk.told[7]
    hit.reply, hit.notice, hit.attempts = None, True, 3
    hit.ended = hit.began + 2 * RETRY_S + 0.2
    again = replace(hit, reply="可以预约的科室：", notice=False, attempts=1, began=hit.ended, ended=hit.ended)
    walk.turns.insert(8, [again])
    return hit


def phone_of(walk: Walk) -> Phone:
    """What the phone shows if it shows just that."""
    received = [("reply", each.reply) for each in walk.told if each.reply is not None]
    received += [("custom", words) for each in walk.told for words in each.late]
    received += [("notice", "…") for each in walk.told if each.notice]
    return Phone(received, walk.keeps, 1)


@pytest.mark.parametrize("plan", WALKS)
def test_a_true_story_brings_no_complaint(plan: tuple[tuple[str, ...], ...]) -> None:
    walk = true_story(plan)
    assert len(walk.told) == 10
    assert complaints(walk, phone_of(walk), []) == []


def test_a_lost_answer_is_noticed() -> None:
    walk = true_story()
    walk.told[7].reply = None
    assert "got no answer" in " ".join(complaints(walk, phone_of(walk), []))


def test_an_answer_that_never_reached_the_phone_is_noticed() -> None:
    walk = true_story()
    phone = phone_of(walk)
    short = replace(phone, received=[each for each in phone.received if "科室：" not in each[1]])
    assert "the phone shows" in " ".join(complaints(walk, short, []))


@pytest.mark.parametrize("place", range(9))
def test_two_answers_that_changed_places_are_noticed(place: int) -> None:
    walk = true_story()
    first, second = walk.told[place], walk.told[place + 1]
    first.reply, second.reply = second.reply, first.reply
    assert "nothing explains" in " ".join(complaints(walk, phone_of(walk), []))


def test_answers_in_another_order_on_the_phone_are_noticed() -> None:
    walk = true_story()
    phone = phone_of(walk)
    received = list(phone.received)
    received[2:4] = reversed(received[2:4])
    assert "the phone shows" in " ".join(complaints(walk, replace(phone, received=received), []))


def test_a_message_that_was_processed_twice_is_noticed() -> None:
    walk = true_story()
    walk.told[2].reply = "请选择时间："  # as if the answer before had counted twice
    assert "nothing explains" in " ".join(complaints(walk, phone_of(walk), []))


def test_a_message_that_was_passed_over_while_it_could_be_processed_is_noticed() -> None:
    walk = true_story()
    walk.turns.insert(7, [replace(walk.told[7], reply=PASSED)])
    assert "was passed over" in " ".join(complaints(walk, phone_of(walk), []))


@pytest.mark.parametrize(("has", "ever"), [(2, 2), (1, 2), (0, 1), (0, 0)])
def test_a_booking_too_many_or_too_few_is_noticed(has: int, ever: int) -> None:
    walk = true_story()
    phone = replace(phone_of(walk), has=has, ever_booked=ever)
    assert f"has {has} numbers of {ever} booked" in " ".join(complaints(walk, phone, []))


def test_a_second_answer_is_noticed_the_more_if_it_is_another_one() -> None:
    walk = true_story()
    walk.told[7].late = [str(walk.told[7].reply)]
    assert "got its answer twice" in " ".join(complaints(walk, phone_of(walk), []))
    walk.told[7].late = ["系统繁忙"]
    assert "two different answers" in " ".join(complaints(walk, phone_of(walk), []))


def test_a_late_answer_nobody_waited_for_is_noticed() -> None:
    walk = true_story()
    phone = phone_of(walk)
    more = replace(phone, received=[*phone.received, ("custom", "您可以这样说：")])
    assert "late answers on the phone" in " ".join(complaints(walk, more, []))


def test_the_answer_may_follow_a_last_attempt_that_was_told_to_wait() -> None:
    walk = true_story()
    hit = walk.told[7]
    hit.late, hit.reply, hit.attempts, hit.ended = [str(hit.reply)], f"{GAVE_UP}。", 3, hit.began + 15
    phone, kills = phone_of(walk), [kill(hit.began + 13)]
    assert complaints(walk, phone, kills, slow=True) == []
    assert "nothing works" in " ".join(complaints(walk, phone, [], slow=True)), (
        "only where a kill explains it"
    )
    hit.late.append("系统繁忙")
    assert "two different answers" in " ".join(complaints(walk, phone_of(walk), kills, slow=True))


def test_a_notice_is_explained_by_a_kill_during_the_last_attempt_only() -> None:
    walk = true_story()
    hit = refused_at_last(walk)
    phone, first, last = phone_of(walk), kill(hit.began + 0.1), kill(hit.ended - 0.05)
    assert complaints(walk, phone, [first, last], slow=True) == []
    stalled = [first, Kill(hit.ended - 0.3, hit.ended + 0.2)]
    assert complaints(walk, phone, stalled, slow=True) == [], "it stalled before"
    for kills in ([], [first], [first, kill(hit.ended - 1.5)], [first, kill(hit.ended + 0.5)]):
        assert "platform's notice" in " ".join(complaints(walk, phone, kills, slow=True))


def test_where_answers_are_quick_every_attempt_before_a_notice_needs_its_kill() -> None:
    walk = true_story()
    hit = refused_at_last(walk)
    kills = [kill(hit.began + attempt * RETRY_S + 0.05) for attempt in range(3)]
    assert complaints(walk, phone_of(walk), kills) == []
    for missing in range(3):
        left = [each for each in kills if each != kills[missing]]
        assert f"attempt {missing + 1} of message" in " ".join(complaints(walk, phone_of(walk), left))


def test_a_second_attempt_without_a_kill_is_noticed() -> None:
    walk = true_story()
    again = walk.told[4]
    again.attempts, again.ended = 2, again.began + RETRY_S + 0.1
    assert complaints(walk, phone_of(walk), [kill(again.began + 0.1)]) == []
    assert "no kill explains" in " ".join(complaints(walk, phone_of(walk), [kill(again.began - 3)]))


def test_a_walk_that_stopped_half_way_is_noticed() -> None:
    walk = true_story()
    stopped = Walk(walk.openid, WALKS[0])
    for turn in walk.turns[:-2]:
        stopped.heard(turn)
    assert "did not come to the end" in " ".join(complaints(stopped, phone_of(stopped), []))
