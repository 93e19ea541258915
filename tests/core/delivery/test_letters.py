"""What a letter says where a send window is open."""

from core.delivery.letters import Letter
from core.delivery.sender import Choice, Choices

OPTIONS = (("come", "会到"), ("move", "改期"), ("cancel", "取消"))


def test_each_line_shows_the_digit_that_stands_for_it() -> None:
    said = Letter(title="就诊提醒", text="明天 10:00", options=OPTIONS, about="b_1").said(7)
    assert said == Choices(
        "明天 10:00", (Choice("7:come", "1 会到"), Choice("7:move", "2 改期"), Choice("7:cancel", "3 取消"))
    )


def test_said_again_it_says_so() -> None:
    said = Letter(title="就诊提醒", text="明天 10:00", options=OPTIONS).said(7, again=True)
    assert isinstance(said, Choices)
    assert said.head == "（重发）明天 10:00"
