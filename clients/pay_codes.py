"""What each of WeChat Pay's error codes means: one table, code → policy (docs/pay-facts.md 6)."""

from collections.abc import Mapping
from types import MappingProxyType

from services.payments.bank import Policy

_CODES: dict[Policy, tuple[str, ...]] = {
    Policy.PAYER: (
        *("NOT_ENOUGH", "NOTENOUGH", "ACCOUNT_ERROR", "ACCOUNTERROR", "USER_ACCOUNT_ABNORMAL"),
        *("BANK_ERROR", "BANKERROR", "ORDER_CLOSED"),
    ),
    Policy.CONTRACT: (
        *("CONTRACT_NOT_EXIST", "CONTRACT_NOT_EXISTED", "CONTRACT_ERROR", "CONTRACT_TERMINATED"),
    ),
    Policy.KNOWN: ("OUT_TRADE_NO_USED", "ORDER_PAID", "TRADE_ERROR", "OUT_CONTRACT_CODE_USED"),
    Policy.ABSENT: ("ORDER_NOT_EXIST", "ORDERNOTEXIST", "RESOURCE_NOT_EXISTS", "NOT_FOUND"),
    Policy.LATER: ("FREQUENCY_LIMITED", "FREQUENCY_LIMIT_EXCEED", "RATELIMIT_EXCEEDED"),
    Policy.CONFIGURATION: (
        *("PARAM_ERROR", "INVALID_REQUEST", "APPID_MCHID_NOT_MATCH", "MCH_NOT_EXISTS", "SIGN_ERROR"),
        *("NO_AUTH", "RULE_LIMIT", "REQUEST_BLOCKED"),
    ),
}

POLICIES: Mapping[str, Policy] = MappingProxyType(
    {code: policy for policy, codes in _CODES.items() for code in codes}
)
_SERVER_ERROR = 500


def policy_of(status: int, code: str) -> Policy:
    """The policy of an answer that is no success. Whatever goes wrong inside WeChat Pay may have happened."""
    return Policy.UNKNOWN if status >= _SERVER_ERROR else POLICIES.get(code, Policy.UNKNOWN)
