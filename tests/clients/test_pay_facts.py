"""Client and simulator, each built on its own, keep to the same sheet: docs/pay-facts.md."""

import inspect
import re
from pathlib import Path

import clients.pay
import simulator.pay_door
from clients.pay_codes import POLICIES, policy_of
from clients.pay_words import _CONTRACT, _REFUND, _TRADE
from services.payments.bank import Policy

FACTS = (Path(__file__).parents[2] / "docs" / "pay-facts.md").read_text("utf-8")
CODES = FACTS[FACTS.index("## 6.") : FACTS.index("## Sources")]
PATH = re.compile(r'"(/v3/[^"?]*)')


def generic(path: str) -> str:
    """A path with nothing in its places."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_path_we_call_and_play_stands_in_the_sheet() -> None:
    called = {generic(each) for each in PATH.findall(inspect.getsource(clients.pay)) if each[-1] != "/"}
    played = {generic(each) for each in PATH.findall(inspect.getsource(simulator.pay_door))}
    sheet = generic(FACTS)
    assert called <= played, "what we call is played"
    assert called, "there is something to compare"
    for path in called | played:
        assert path in sheet, path


def test_the_table_of_codes_is_that_of_the_sheet() -> None:
    written = set(re.findall(r"`([A-Z][A-Z_]{5,})`", CODES))
    ours = set(POLICIES) - {"NOTENOUGH", "OUT_CONTRACT_CODE_USED"}
    assert ours <= written
    assert written - set(POLICIES) == {"SYSTEM_ERROR"}, "which is any 5xx"


def test_states_stand_in_the_sheet() -> None:
    for state in (*_TRADE, *_REFUND, *_CONTRACT):
        assert f"`{state}`" in FACTS, state


def test_what_is_not_known_may_have_happened() -> None:
    assert policy_of(400, "SOMETHING_NEW") is Policy.UNKNOWN
    assert policy_of(500, "NOT_ENOUGH") is Policy.UNKNOWN
    assert policy_of(403, "NOT_ENOUGH") is Policy.PAYER
    assert policy_of(404, "ORDER_NOT_EXIST") is Policy.ABSENT
