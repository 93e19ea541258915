"""Every code a sender has to know has its policy (wechat-facts 4)."""

import pytest

from clients.wechat_codes import _CODES, POLICIES, at_fault, policy_of
from core.delivery.sender import Policy

# Every code of wechat-facts 4, written down once more, so that a slip in one of the two lists shows.
FACTS: dict[Policy, list[int]] = {
    Policy.DONE: [0, 45065],
    Policy.BUSY: [-1],
    Policy.TOKEN: [40001, 40014, 42001],
    Policy.CONFIGURATION: [
        *(40002, 40013, 40125, 40164, 40243, 41001, 41002, 41003, 41004, 50004, 50007, 61004),
    ],
    Policy.GONE: [40003, 43004, 43005, 46004, 50005],
    Policy.UNWILLING: [43019, 43101, 48002, 50002, 70000],
    Policy.WINDOW: [45015, 45047],
    Policy.RATE_DAY: [45009],
    Policy.RATE_MINUTE: [45011, 45066],
    Policy.TEMPLATE: [40037, 41030, 47003, 40249, 40250, 40251, 40252, 43116],
    Policy.CONTENT: [
        *(40004, 40005, 40006, 40007, 40008, 40009, 40033, 40035, 40038),
        *(44001, 44002, 44003, 44004),
        *(45001, 45002, 45003, 45004, 45005, 45006, 45007, 45008, 47001),
    ],
    Policy.PERMISSION: [48001, 48003, 48004, 48008, 50001],
    Policy.QUOTA_SPENT: [48006],
    Policy.REQUEST: [
        *(40016, 40017, 40018, 40019, 40020, 40021, 40022, 40023, 40024, 40025, 40026, 40027),
        *(40054, 40055, 46002, 46003),
        *(65301, 65302, 65303, 65304, 65305, 65306, 65307, 65308, 65309, 65310, 65311, 65312, 65313),
        *(65314, 65315, 65316, 65317),
        *(45056, 45057, 45058, 45059, 45157, 45158, 45159, 49003, 40032),
        *(43001, 43002, 43003),
    ],
    Policy.LOGIN: [40029, 40030, 40163, 42002, 42003, 42007],
}
LISTED = [(code, policy) for policy, codes in FACTS.items() for code in codes]


@pytest.mark.parametrize(("code", "policy"), LISTED)
def test_each_code_of_the_facts_has_its_policy(code: int, policy: Policy) -> None:
    assert policy_of(code) is policy


def test_the_table_knows_no_others_and_none_twice() -> None:
    assert set(POLICIES) == {code for code, _ in LISTED}
    assert sum(map(len, _CODES.values())) == len(POLICIES) == len(LISTED)
    assert set(POLICIES.values()) == set(Policy) - {Policy.UNKNOWN}


@pytest.mark.parametrize("code", [1, -2, 45067, 99_999, 10**12])
def test_a_code_nobody_knows_is_safe(code: int) -> None:
    assert policy_of(code) is Policy.UNKNOWN


def test_who_gets_no_token_is_told_what_to_check() -> None:
    for code in (40001, 40125, 41004):
        assert at_fault(code, "hall") == "accounts.hall.secret"
    assert at_fault(40013, "hall") == "accounts.hall.appid"
    assert "allow-list of accounts.hall" in at_fault(40164, "hall")
    assert at_fault(45009, "hall") == ""
