"""What a citizen is told when something they wrote cannot be taken."""

from collections.abc import Callable

import pytest

from core.errors import DomainError
from tests.support.talk import words_of

LINES = 4  # of these short ones; design 3 allows six


def told(read: Callable[..., object], *given: object) -> str:
    """The sentence of the refusal."""
    with pytest.raises(DomainError) as refused:
        read(*given)
    said = words_of().render(f"errors/{refused.value.code}", **refused.value.facts)
    lines = said.splitlines()
    assert 1 <= len(lines) <= LINES, said
    assert all(line.strip() for line in lines), said
    return said
