"""The options of `payments`."""

import argparse

from commands import payments
from services.payments.listing import Which


def add_payments(parser: argparse.ArgumentParser) -> None:
    """`payments open|failed|staff|refunds|strays`."""
    parser.description = (
        "debts that are open, that failed and are tried again, that were given up (staff); refunds that are "
        "not done; and what WeChat Pay told that fits nothing of ours (strays)"
    )
    parser.add_argument("which", choices=[each.value for each in Which])
    parser.add_argument("--after", metavar="ID", default="", help="go on after this line")
    parser.add_argument("--limit", metavar="N", type=int, default=payments.USUAL, help="at most so many (20)")
    parser.set_defaults(
        command=lambda settings, _assemble, given: payments.listing(
            settings, given.which, given.after, given.limit
        )
    )
