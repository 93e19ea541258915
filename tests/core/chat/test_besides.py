"""What is said beside the questions is heard in a message, and not inside a name."""

from dataclasses import replace

from core.chat.besides import Beside, Heard
from core.chat.names import Named


def _for_a_cat(folded: str) -> Heard | None:
    return Heard("猫", folded.replace("给猫", "")) if "给猫" in folded else None


BESIDE = Beside("only_people", _for_a_cat)
NAMES = [Named(("送给猫的茶",), {"tea": "cat"}), Named(("龙井",), {"tea": "longjing"})]


def test_it_is_heard_with_the_message_that_is_left() -> None:
    assert BESIDE.heard("给猫点龙井", NAMES) == Heard("猫", "点龙井")
    assert BESIDE.heard("点龙井", NAMES) is None


def test_what_stands_in_a_name_was_heard_as_a_wish() -> None:
    assert BESIDE.heard("点送给猫的茶", NAMES) is None
    assert BESIDE.heard("点送给猫的茶", []) is not None, "control: without the name"
    assert BESIDE.heard("给猫点送给猫的茶", NAMES) is not None


def test_some_names_do_say_it() -> None:
    told = replace(BESIDE, hides=lambda named: "tea" not in named.settles)
    assert told.heard("点送给猫的茶", NAMES) is not None
