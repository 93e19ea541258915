"""A message as long as the door lets through costs little, whatever it repeats."""

import time
from collections.abc import Callable
from datetime import date

import pytest

from core.chat import answers, likeness
from core.chat.dates import days_in, say_date
from core.chat.moments import Part, When, named_moment
from core.chat.router import compile_pattern, follow, ways_of_saying
from core.chat.sessions import Option
from tests.support.talk import red_flags

LONGEST = 2_048
BOUND = 0.2  # seconds; the patterns that were slow took 0.5 s and more at this length
TODAY = date(2026, 11, 30)
DEPARTMENTS = [
    Option(f"d{each}", f"科室{each}", tuple(f"别名{each}{n}" for n in range(12))) for each in range(20)
]
DAYS = [Option("day", "12月2日 周三 上午", (), When(date(2026, 12, 2), Part.AM))]
REPEATED = [
    *"吧的要好下1一十[是选第到和大了 ，",
    *("没有胸痛、", "没有", "胸痛", "谢谢", "不要", "我想要", "好的", "下周", "下周三", "12月", "十一点"),
    *("9:", "9:3", "[a", "一下", "是不是", "中风", "👍🏻", "\t\n"),
]
READERS: dict[str, Callable[[str], object]] = {
    "ways_of_saying": ways_of_saying,
    "fold": answers.fold,
    "number": answers.number,
    "agrees": lambda said: answers.agrees(said, [Option("yes", "确认"), Option("no", "不要了")]),
    "pick": lambda said: answers.pick(said, DEPARTMENTS, TODAY),
    "pick a day": lambda said: answers.pick(said, DAYS, TODAY),
    "nearest": lambda said: likeness.nearest(said, DEPARTMENTS, TODAY),
    "say_date": lambda said: say_date(said, TODAY),
    "days_in": lambda said: days_in(said, TODAY),
    "named_moment": lambda said: named_moment(said, TODAY),
    "red flags": lambda said: red_flags().raised_by(said),
    "follow": lambda said: follow(said, ""),
    "pattern": compile_pattern("{a}到{b}在{c}多少钱").fullmatch,
}


@pytest.mark.parametrize("reader", READERS)
def test_a_long_message_held_the_gateway_up(reader: str) -> None:
    red_flags()
    for repeated in REPEATED:
        for end in ("", "x", repeated[0] + "痛x"):
            said = (repeated * LONGEST)[: LONGEST - len(end)] + end
            started = time.process_time()
            READERS[reader](said)
            assert time.process_time() - started < BOUND, (reader, repeated, end)
