"""What passes between the city and an institution: requests nobody guesses, refusals that say what to do."""

import re

import pytest

from core.errors import DomainError
from services.citizens.institutions import (
    NOT_CONFIRMED,
    Checked,
    Identity,
    InstitutionGone,
    TooManyCodes,
    is_request,
    new_request,
)
from tests.services.citizens.refused import told

HOSPITAL = "云汀市人民医院"


def refuse(refusal: DomainError) -> None:
    raise refusal


def test_requests_have_names_of_their_own() -> None:
    names = {new_request() for _ in range(1000)}
    assert len(names) == 1000
    assert all(is_request(name) and re.fullmatch(r"[A-Za-z0-9_-]{32}", name) for name in names)


@pytest.mark.parametrize("name", ["", "x" * 15, "x" * 65, "x" * 20 + "\n", "x y" * 8, "é" * 20])
def test_what_is_no_request_is_known(name: str) -> None:
    assert not is_request(name)


def test_only_a_patient_is_a_yes() -> None:
    assert Checked("P-1")
    assert not Checked()
    assert not NOT_CONFIRMED


def test_an_identity_keeps_itself_when_it_is_printed() -> None:
    shown = f"{Identity('王秀英', '11010519491231002X')!r} {[Identity('王秀英', '11010519491231002X')]}"
    assert "王" not in shown
    assert "1101" not in shown


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (InstitutionGone(institution=HOSPITAL, why="timed out"), f"{HOSPITAL}的系统暂时连不上"),
        (TooManyCodes(institution=HOSPITAL), f"{HOSPITAL}暂时不再发"),
    ],
)
def test_each_refusal_says_what_else_helps(refusal: DomainError, says: str) -> None:
    said = told(refuse, refusal)
    assert says in said
    assert "带身份证到窗口办理" in said
    assert "timed out" not in said
