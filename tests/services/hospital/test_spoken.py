"""How citizens name doctors."""

import pytest

from services.hospital import spoken


@pytest.mark.parametrize("said", ["陈静", "陈医生", "陈大夫", "陈主任", "陈静医生"])
def test_a_chief_physician(said: str) -> None:
    assert said in spoken.doctor_names("陈", "静", "副主任医师")


def test_nobody_is_promoted() -> None:
    assert "陈主任" not in spoken.doctor_names("陈", "静", "主治医师")
