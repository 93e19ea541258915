"""What each of WeChat's answer codes means: one table, code → policy (wechat-facts 4)."""

from collections.abc import Mapping
from types import MappingProxyType

from core.delivery.sender import Policy


def _span(first: int, last: int) -> tuple[int, ...]:
    return tuple(range(first, last + 1))


_CODES: dict[Policy, tuple[int, ...]] = {
    Policy.DONE: (0, 45065),  # 45065: it had been sent before, under the same client id
    Policy.BUSY: (-1,),
    Policy.TOKEN: (40001, 40014, 42001),
    Policy.CONFIGURATION: (
        *(40002, 40013, 40125, 40164, 40243, 50004, 50007, 61004),
        *_span(41001, 41004),
    ),
    Policy.GONE: (40003, 43004, 43005, 46004, 50005),
    Policy.UNWILLING: (43019, 43101, 48002, 50002, 70000),
    Policy.WINDOW: (45015, 45047),
    Policy.RATE_MINUTE: (45011, 45066),
    Policy.RATE_DAY: (45009,),
    Policy.TEMPLATE: (40037, 41030, 47003, 40249, 40250, 40251, 40252, 43116),
    Policy.CONTENT: (
        *(40033, 40035, 40038, 47001),
        *_span(40004, 40009),
        *_span(44001, 44004),
        *_span(45001, 45008),
    ),
    Policy.PERMISSION: (48001, 48003, 48004, 48008, 50001),
    Policy.QUOTA_SPENT: (48006,),
    Policy.REQUEST: (
        *(40054, 40055, 46002, 46003, *_span(40016, 40027), *_span(65301, 65317)),  # menu
        *(40032, 49003, *_span(45056, 45059), *_span(45157, 45159)),  # tags
        *(43001, 43002, 43003),  # GET, POST, HTTPS
    ),
    Policy.LOGIN: (40029, 40030, 40163, 42002, 42003, 42007),
}

POLICIES: Mapping[int, Policy] = MappingProxyType(
    {code: policy for policy, codes in _CODES.items() for code in codes}
)

# What a person looks at when WeChat gives no access token (wechat-facts 2.1).
_AT_FAULT = {
    40001: "accounts.{account}.secret",
    40125: "accounts.{account}.secret",
    40243: "accounts.{account}.secret, which is frozen in WeChat's console",
    41004: "accounts.{account}.secret",
    40013: "accounts.{account}.appid",
    41002: "accounts.{account}.appid",
    40164: "the IP allow-list of accounts.{account} in WeChat's console",
    61004: "the IP allow-list of accounts.{account} in WeChat's console",
    50004: "whether accounts.{account} is frozen",
    50007: "whether accounts.{account} is frozen",
}


def policy_of(code: int) -> Policy:
    """The policy of any code; one not in the table is neither repeated nor held against anybody."""
    return POLICIES.get(code, Policy.UNKNOWN)


def at_fault(code: int, account: str) -> str:
    """What to check when the access token of `account` is refused with this code; "" if it is not ours."""
    return _AT_FAULT.get(code, "").format(account=account)
