"""What is refused around payments, and the facts each sentence needs (`templates/errors/<code>.txt`)."""
# ruff: noqa: N818 - a refusal is named by what is the case

from core.errors import DomainError


class PayAway(DomainError):
    """WeChat Pay does not answer just now, or refuses us: nothing has changed."""

    code = "pay_away"


class NotSigned(DomainError):
    """There is no contract to debit by: she has to sign one first."""

    code = "not_signed"


class AlreadySigned(DomainError):
    """There is a contract already."""

    code = "already_signed"


class NoSuchPayment(DomainError):
    """Nobody owes this, or somebody else does."""

    code = "no_such_payment"


class AlreadyPaid(DomainError):
    """It is paid."""

    code = "already_paid"


class PaymentAsked(DomainError):
    """A debit is under way: its fate has to be known before the next one (P4)."""

    code = "payment_asked"


class RefundTooHigh(DomainError):
    """More than was paid would go back (P6); `paid_fen`, `refunded_fen`."""

    code = "refund_too_high"


class NotReached(DomainError):
    """She follows none of our accounts: there is nobody to sign as."""

    code = "not_reached"
