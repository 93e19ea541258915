"""What is refused to riders is said in a few plain lines."""

import pytest

from core.errors import DomainError
from services.transit import errors
from tests.support.wording import house_words


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (errors.NotOpened(), "开通乘车码"),
        (errors.InArrears(count=2, fen=650), "您有 2 笔车费没有付，一共 6.5"),
        (errors.Suspended(), "人工"),
        (errors.Closing(), "正在关闭"),
        (errors.CodesUsedUp(most=20), "今天已经用了 20 次"),
        (errors.PicturesUsedUp(most=5), "今天已经做了 5 张"),
        (errors.TooManyCompanions(most=3, minutes=15), "15 分钟里最多带 3 个人"),
        (errors.TooSoon(seconds=3), "请过 3 秒再试"),
    ],
)
def test_a_refusal_says_why_and_what_to_do(refusal: DomainError, says: str) -> None:
    said = house_words().refusal(refusal)
    assert says in said
    assert len(said.strip().splitlines()) <= 3
