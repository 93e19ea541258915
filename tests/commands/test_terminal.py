"""How commands say numbers."""

import pytest

from commands.terminal import count


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 recipients"), (1, "1 recipient"), (2, "2 recipients"), (12_345, "12,345 recipients")],
)
def test_one_recipient_was_said_to_be_several(number: int, said: str) -> None:
    assert count(number, "recipient") == said
