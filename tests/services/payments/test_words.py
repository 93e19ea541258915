"""Every refusal around payments has its sentence."""

import pytest

from commands.places import TEMPLATES
from core.chat.words import Words
from core.errors import DomainError
from services.payments import errors

REFUSALS = [
    each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, DomainError)
]


@pytest.mark.parametrize("refusal", [each for each in REFUSALS if each is not DomainError])
def test_each_refusal_has_its_sentence(refusal: type[DomainError]) -> None:
    facts = {"paid_fen": 300, "refunded_fen": 100}
    said = Words(TEMPLATES).render(f"errors/{refusal.code}", **facts)
    assert 0 < len(said.splitlines()) <= 6


def test_the_page_of_the_contract_says_who_signs() -> None:
    assert Words(TEMPLATES).render("pay/shown_as").strip() == "便民用户"
