"""What a list knows of days: what can be had on a wished one, what is full, which page is shown."""

from datetime import date

import pytest

from core.chat.lists import Times, View, page_of, ranked, wished
from core.chat.moments import Moment, Part, When
from core.chat.sessions import Option
from tests.core.chat.teahouse import Item
from tests.support.talk import words_of

MONDAY, TUESDAY, FRIDAY = (date(2026, 11, day) for day in (23, 24, 27))
OPEN = {"wang": [When(MONDAY, Part.AM)], "li": [When(TUESDAY, Part.PM), When(FRIDAY, Part.AM)], "bai": []}
ITEMS = [Item(key, label) for key, label in (("wang", "王师傅"), ("li", "李师傅"), ("bai", "白师傅"))]
LINES = [Option(item.id, f"{item.label} 明天有空", (item.label,)) for item in ITEMS]


def opens(item: Item) -> list[When]:
    return OPEN[item.id]


@pytest.mark.parametrize(
    ("wish", "fitting"),
    [
        (Moment(TUESDAY), {"li"}),
        (Moment(TUESDAY, Part.PM), {"li"}),
        (Moment(TUESDAY, Part.AM), set()),
        (Moment(MONDAY), {"wang"}),
        (None, set()),
    ],
)
def test_what_can_be_had_on_a_wished_day(wish: Moment | None, fitting: set[str]) -> None:
    assert Times(opens=opens).open_at(wish, ITEMS) == fitting


def test_what_fits_comes_first_and_the_others_keep_their_order() -> None:
    assert [line.id for line in ranked(View(""), LINES, MONDAY, {"bai"})] == ["bai", "wang", "li"]


@pytest.mark.parametrize("said", ["昨天摔了", "下午", "31号或者周五", "", "龙井"])
def test_what_is_no_wish_for_a_day_to_come(said: str) -> None:
    assert wished(said, FRIDAY) is None


def test_a_day_was_the_name_of_the_one_line_that_shows_it() -> None:
    shown = [LINES[0], Option("li", "李师傅 今天有空", ("李师傅",))]
    times = Times(opens=opens)
    assert times.picked("明天", shown, MONDAY) is None
    assert times.named("明天", shown, MONDAY) is None
    both = times.picked("李师傅明天", shown, MONDAY), times.picked("2号", shown, MONDAY)
    assert [each and each.id for each in both] == ["li", "li"]


async def test_only_what_is_not_offered_can_be_full() -> None:
    async def full() -> list[Item]:
        return [Item("full", "满了")]

    times = Times(when=lambda _item: When(TUESDAY, Part.AM), full=full)
    offered = [Option("a", "周一上午", (), When(MONDAY, Part.AM))]
    assert await times.is_full("明天", offered, MONDAY)
    assert not await times.is_full("今天", offered, MONDAY)
    assert not await times.is_full("周五", offered, MONDAY)
    assert not await times.is_full("龙井", offered, MONDAY)
    assert not await Times(when=times.when).is_full("明天", offered, MONDAY)


def test_after_the_last_page_comes_the_first() -> None:
    many = [Option(str(place), str(place)) for place in range(7)]
    assert [page_of(many, page)[1:] for page in range(3)] == [(0, True), (1, False), (0, True)]
    assert [len(page_of(many, page)[0]) for page in range(2)] == [6, 1]
    assert page_of(many[:2], 5) == (many[:2], 0, False)


def test_that_nothing_is_left_then_is_said_in_everybodys_words() -> None:
    words = words_of().on(MONDAY)
    said = words.render("chat/none_then", wish=Moment(TUESDAY, Part.PM), options=ITEMS)
    assert said == "明天下午没有了，请看看别的："
