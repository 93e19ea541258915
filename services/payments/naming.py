"""Names we give to what WeChat Pay is asked for: letters and digits only, and nobody's before."""

import secrets
import string

_LETTERS = string.ascii_letters + string.digits
_LENGTH = 32


def new_code() -> str:
    """An out_contract_code, out_trade_no or out_refund_no."""
    return "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))


def new_payment() -> str:
    """The id of a payment."""
    return "pay_" + secrets.token_urlsafe(12)
